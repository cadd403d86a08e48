// Groups are an axis of all three tensors; the constraints name it.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect | FileCheck %s

%x, %w = "test.values"() : () -> (tensor<2x5x5x3x4xf32>, tensor<3x3x4x3x2xf32>)
// CHECK: train.conv2d %{{.*}}, %{{.*}} : (tensor<2x5x5x3x4xf32>, tensor<3x3x4x3x2xf32>) -> tensor<2x3x3x3x2xf32>
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x5x5x3x4xf32>, tensor<3x3x4x3x2xf32>) -> tensor<2x3x3x3x2xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<2x5x5x3x4xf32>, tensor<3x3x4x2x2xf32>)
// expected-error @+1 {{(C1) channels and batch must agree}}
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x5x5x3x4xf32>, tensor<3x3x4x2x2xf32>) -> tensor<2x3x3x2x2xf32>

// -----

// expected-error @+1 {{(C1) a state that begins with values has one for each of its 3 elements, has 2}}
train.state @w : tensor<3xf32> kind "buffer" init #train.init<values, 0.0, 0.0, [1.0, 2.0]>
