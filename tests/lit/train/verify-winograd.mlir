// RUN: sinter-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// Convolutions in Winograd's tiles print as they parse; each of their constraints, broken once.

// CHECK-LABEL: func.func @prints
// CHECK: train.winograd %{{.*}}, %{{.*}} {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<36x40x70xf32>) -> tensor<2x8x5x70xf32>
// CHECK: train.winograd_weight_grad %{{.*}}, %{{.*}} {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<2x8x5x70xf32>) -> tensor<3x3x40x70xf32>
// CHECK: train.winograd %{{.*}}, %{{.*}} {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<3x3x40x70xf32>) -> tensor<2x8x5x70xf32>
// CHECK: train.winograd %{{.*}}, %{{.*}} {padding = array<i64: 1, 0, 2, 1>, turned} : (tensor<2x7x6x40xf32>, tensor<3x3x70x40xf32>) -> tensor<2x8x5x70xf32>
func.func @prints(%x: tensor<2x7x6x40xf32>, %u: tensor<36x40x70xf32>, %v: tensor<3x3x40x70xf32>, %t: tensor<3x3x70x40xf32>) {
  %y = train.winograd %x, %u {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<36x40x70xf32>) -> tensor<2x8x5x70xf32>
  %w = train.winograd_weight_grad %x, %y {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<2x8x5x70xf32>) -> tensor<3x3x40x70xf32>
  %1 = train.winograd %x, %v {padding = array<i64: 1, 0, 2, 1>} : (tensor<2x7x6x40xf32>, tensor<3x3x40x70xf32>) -> tensor<2x8x5x70xf32>
  %2 = train.winograd %x, %t {padding = array<i64: 1, 0, 2, 1>, turned} : (tensor<2x7x6x40xf32>, tensor<3x3x70x40xf32>) -> tensor<2x8x5x70xf32>
  return
}

// -----
func.func @c1_turned(%x: tensor<1x4x4x8xf32>, %u: tensor<36x8x8xf32>) {
  // expected-error @below {{(C1) filters that are made already are not turned}}
  %y = train.winograd %x, %u {padding = array<i64: 1, 1, 1, 1>, turned} : (tensor<1x4x4x8xf32>, tensor<36x8x8xf32>) -> tensor<1x4x4x8xf32>
  return
}

// -----
func.func @c1_weights(%x: tensor<1x4x4x8xf32>, %w: tensor<3x3x8x4xf32>) {
  // expected-error @below {{(C1) u must}}
  %y = train.winograd %x, %w {padding = array<i64: 1, 1, 1, 1>, turned} : (tensor<1x4x4x8xf32>, tensor<3x3x8x4xf32>) -> tensor<1x4x4x8xf32>
  return
}

// -----
func.func @c1_rank(%x: tensor<4x4x8xf32>, %u: tensor<36x8x8xf32>) {
  // expected-error @below {{(C1) x and y must have rank 4}}
  %y = train.winograd %x, %u {padding = array<i64: 1, 1, 1, 1>} : (tensor<4x4x8xf32>, tensor<36x8x8xf32>) -> tensor<4x4x8xf32>
  return
}

// -----
func.func @c1_filters(%x: tensor<1x4x4x8xf32>, %u: tensor<36x4x8xf32>) {
  // expected-error @below {{(C1) u must}}
  %y = train.winograd %x, %u {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x4x4x8xf32>, tensor<36x4x8xf32>) -> tensor<1x4x4x8xf32>
  return
}

// -----
func.func @c1_size(%x: tensor<1x4x4x8xf32>) {
  // expected-error @below {{(C1) dy must}}
  %w = train.winograd_weight_grad %x, %x {padding = array<i64: 1, 0, 1, 0>} : (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<3x3x8x8xf32>
  return
}

// -----
func.func @c1_gradient(%x: tensor<1x4x4x8xf32>) {
  // expected-error @below {{(C1) dw must}}
  %w = train.winograd_weight_grad %x, %x {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>) -> tensor<9x8x8xf32>
  return
}

// -----
func.func @c2_padding(%x: tensor<1x4x4x8xf32>, %u: tensor<36x8x8xf32>) {
  // expected-error @below {{(C2) padding is four numbers that are not negative}}
  %y = train.winograd %x, %u {padding = array<i64: 1, -1, 1, 1>} : (tensor<1x4x4x8xf32>, tensor<36x8x8xf32>) -> tensor<1x4x4x8xf32>
  return
}

// -----
func.func @c2_window(%x: tensor<1x2x4x8xf32>, %u: tensor<36x8x8xf32>) {
  // expected-error @below {{(C2) the window of 3 × 3 is larger than the padded image}}
  %y = train.winograd %x, %u {padding = array<i64: 0, 1, 0, 1>} : (tensor<1x2x4x8xf32>, tensor<36x8x8xf32>) -> tensor<1x1x4x8xf32>
  return
}
