// RUN: sinter-opt %s -use-winograd | FileCheck %s
// RUN: sinter-opt %s -use-winograd=all | FileCheck %s --check-prefix=ALL
// Forward, by input and by weight of 3 × 3 with stride 1 become tiles where that pays, each by itself; the filters are made once for all that
// read them.

train.state @wide.w : tensor<3x3x64x96xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @wide.dw : tensor<3x3x64x96xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @small.w : tensor<3x3x512x512xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @small.dw : tensor<3x3x512x512xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @small.v : tensor<3x3x3x64xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @others.w : tensor<3x3x64x64xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @others.o : tensor<1x1x64x64xf32> kind "parameter" init <constant, 0.0, 0.0>
train.state @others.v : tensor<3x3x32x2x32xf32> kind "parameter" init <constant, 0.0, 0.0>

// CHECK-LABEL: train.step @wide
// CHECK: %[[W:.*]] = train.reshape %wide.w : tensor<3x3x64x96xf32> -> tensor<9x6144xf32>
// CHECK: %[[G:.*]] = train.constant dense<{{.*}}> : tensor<36x9xf32>
// CHECK: %[[U:.*]] = train.contract "et,tn->en" %[[G]], %[[W]]
// CHECK: %[[F:.*]] = train.reshape %[[U]] : tensor<36x6144xf32> -> tensor<36x64x96xf32>
// CHECK: %[[Y:.*]] = train.winograd %x, %[[F]] {padding = array<i64: 1, 1, 1, 1>}
// CHECK: train.transpose %{{.*}} by [0, 2, 1] : tensor<9x64x96xf32> -> tensor<9x96x64xf32>
// CHECK: %[[DX:.*]] = train.winograd %d, %{{.*}} {padding = array<i64: 1, 1, 1, 1>} : (tensor<8x16x16x96xf32>, tensor<36x96x64xf32>) -> tensor<8x16x16x64xf32>
// CHECK: %[[DW:.*]] = train.winograd_weight_grad %x, %d {padding = array<i64: 1, 1, 1, 1>}
// CHECK: %[[Z:.*]] = train.winograd %x, %[[F]] {padding = array<i64: 0, 0, 0, 0>} : {{.*}} -> tensor<8x14x14x96xf32>
// CHECK: train.commit states [@wide.dw]{{ ?}}(%[[DW]] : {{.*}} results ["y", "dx", "z"]{{ ?}}(%[[Y]], %[[DX]], %[[Z]]
train.step @wide kind "train" (%x: tensor<8x16x16x64xf32> {train.data = "x"}, %w: tensor<3x3x64x96xf32> {train.reads = @wide.w},
                                 %d: tensor<8x16x16x96xf32> {train.data = "d"}, %old: tensor<3x3x64x96xf32> {train.owns = @wide.dw}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x96xf32>) -> tensor<8x16x16x96xf32>
  %dx = train.conv2d_input_grad %d, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x96xf32>, tensor<3x3x64x96xf32>) -> tensor<8x16x16x64xf32>
  %dw = train.conv2d_weight_grad %x, %d {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<8x16x16x96xf32>) -> tensor<3x3x64x96xf32>
  %z = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x96xf32>) -> tensor<8x14x14x96xf32>
  train.commit states [@wide.dw] (%dw : tensor<3x3x64x96xf32>) results ["y", "dx", "z"] (%y, %dx, %z : tensor<8x16x16x96xf32>, tensor<8x16x16x64xf32>, tensor<8x14x14x96xf32>)
}

// Tiles as few as these make the filters of their many channels themselves, also turned; three channels are too few.
// CHECK-LABEL: train.step @small
// CHECK-NOT: train.contract
// CHECK: train.winograd %x, %small.w {padding = array<i64: 1, 1, 1, 1>}
// CHECK: train.winograd %x, %small.w {padding = array<i64: 1, 1, 1, 1>, turned}
// CHECK: train.winograd_weight_grad %x
// CHECK: train.conv2d %t
// ALL-LABEL: train.step @small
// ALL-NOT: train.conv2d
// ALL: train.commit
train.step @small kind "train" (%x: tensor<32x4x4x512xf32> {train.data = "x"}, %w: tensor<3x3x512x512xf32> {train.reads = @small.w},
                                  %t: tensor<32x32x32x3xf32> {train.data = "t"}, %v: tensor<3x3x3x64xf32> {train.reads = @small.v},
                                %old: tensor<3x3x512x512xf32> {train.owns = @small.dw}) {
  %y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x4x4x512xf32>, tensor<3x3x512x512xf32>) -> tensor<32x4x4x512xf32>
  %dx = train.conv2d_input_grad %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x4x4x512xf32>, tensor<3x3x512x512xf32>) -> tensor<32x4x4x512xf32>
  %dw = train.conv2d_weight_grad %x, %x {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x4x4x512xf32>, tensor<32x4x4x512xf32>) -> tensor<3x3x512x512xf32>
  %z = train.conv2d %t, %v {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<32x32x32x3xf32>, tensor<3x3x3x64xf32>) -> tensor<32x32x32x64xf32>
  train.commit states [@small.dw] (%dw : tensor<3x3x512x512xf32>) results ["y", "dx", "z"] (%y, %dx, %z : tensor<32x4x4x512xf32>, tensor<32x4x4x512xf32>, tensor<32x32x32x64xf32>)
}

// Strides, dilations, other kernels, groups, wide padding and products in bfloat16 are nothing for tiles.
// CHECK-LABEL: train.step @others
// CHECK-NOT: train.winograd
// ALL-LABEL: train.step @others
// ALL-NOT: train.winograd
train.step @others kind "predict" (%x: tensor<8x16x16x64xf32> {train.data = "x"}, %w: tensor<3x3x64x64xf32> {train.reads = @others.w},
                                   %o: tensor<1x1x64x64xf32> {train.reads = @others.o}, %g: tensor<8x16x16x2x32xf32> {train.data = "g"},
                                   %v: tensor<3x3x32x2x32xf32> {train.reads = @others.v}) {
  %0 = train.conv2d %x, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x64xf32>) -> tensor<8x8x8x64xf32>
  %1 = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x64xf32>) -> tensor<8x16x16x64xf32>
  %2 = train.conv2d %x, %o {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<1x1x64x64xf32>) -> tensor<8x16x16x64xf32>
  %3 = train.conv2d %g, %v {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x2x32xf32>, tensor<3x3x32x2x32xf32>) -> tensor<8x16x16x2x32xf32>
  %4 = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 3, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x64xf32>) -> tensor<8x18x16x64xf32>
  %b = train.bf16 %x : tensor<8x16x16x64xf32>
  %5 = train.conv2d %b, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<8x16x16x64xf32>, tensor<3x3x64x64xf32>) -> tensor<8x16x16x64xf32>
  train.commit results ["0", "1", "2", "3", "4", "5"] (%0, %1, %2, %3, %4, %5 : tensor<8x8x8x64xf32>, tensor<8x16x16x64xf32>, tensor<8x16x16x64xf32>, tensor<8x16x16x2x32xf32>, tensor<8x18x16x64xf32>, tensor<8x16x16x64xf32>)
}
