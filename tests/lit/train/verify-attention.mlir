// Attention and its gradient print as they parse; each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect | FileCheck %s

%q, %k = "test.values"() : () -> (tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>)
// CHECK: train.attention %{{.*}}, %{{.*}}, %{{.*}} causal scale 5.000000e-01 : (tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x5x2x4xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)
%y, %l = train.attention %q, %k, %k causal scale 0.5 : (tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x5x2x4xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)
%i, %d, %s = "test.draws"() : () -> (tensor<2xi32>, index, index)
// CHECK: train.attention_grad {{.*}} scale 5.000000e-01 dropout 2.500000e-01 by "a" of %{{.*}} draw %{{.*}} seed %{{.*}} : (tensor<2x3x2x4xf32>, {{.*}}, tensor<2xi32>, index, index) -> (tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x5x2x4xf32>)
%g:3 = train.attention_grad %y, %q, %k, %k, %y, %l scale 0.5 dropout 0.25 by "a" of %i draw %d seed %s
  : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x2x3xf32>, tensor<2xi32>, index, index)
    -> (tensor<2x3x2x4xf32>, tensor<2x5x2x4xf32>, tensor<2x5x2x4xf32>)

// -----

%q, %k = "test.values"() : () -> (tensor<2x3x8xf32>, tensor<2x5x8xf32>)
// expected-error @+1 {{'train.attention' op (C1) q and k must be [batch, positions, heads, columns], are 'tensor<2x3x8xf32>' and 'tensor<2x5x8xf32>'}}
%y, %l = train.attention %q, %k, %k scale 0.5 : (tensor<2x3x8xf32>, tensor<2x5x8xf32>, tensor<2x5x8xf32>) -> (tensor<2x3x8xf32>, tensor<2x3xf32>)

// -----

%q, %k = "test.values"() : () -> (tensor<2x3x2x4xf32>, tensor<2x5x2x3xf32>)
// expected-error @+1 {{'train.attention' op (C1) k}}
%y, %l = train.attention %q, %k, %k scale 0.5 : (tensor<2x3x2x4xf32>, tensor<2x5x2x3xf32>, tensor<2x5x2x3xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)

// -----

%q = "test.values"() : () -> tensor<2x3x2x4xf32>
// expected-error @+1 {{'train.attention' op (C1) logsum}}
%y, %l = train.attention %q, %q, %q scale 0.5 : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x3x2xf32>)

// -----

%q = "test.values"() : () -> tensor<2x3x2x4xf32>
// expected-error @+1 {{'train.attention' op (C2) dropout must be from 0 to 1, exclusively, with purpose, ids, draw and seed exactly where it is not 0, is 5.000000e-01}}
%y, %l = train.attention %q, %q, %q scale 0.5 {dropout = 0.5 : f64} : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)

// -----

%q = "test.values"() : () -> tensor<2x3x2x4xf32>
// expected-error @+1 {{'train.attention' op (C3) scale must be finite}}
%y, %l = train.attention %q, %q, %q scale 0x7FF0000000000000 : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)

// -----

%q, %l, %d = "test.values"() : () -> (tensor<2x3x2x4xf32>, tensor<2x2x3xf32>, tensor<2x3x2x5xf32>)
// expected-error @+1 {{'train.attention_grad' op (C1) dy}}
%g:3 = train.attention_grad %d, %q, %q, %q, %q, %l scale 0.5
  : (tensor<2x3x2x5xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x2x3xf32>)
    -> (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>)
