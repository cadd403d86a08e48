// Each shape rule says what it found and what it wants, with the constraint's number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

%x, %w = "x"() : () -> (tensor<784xf32>, tensor<10x783xf32>)
// expected-error @+1 {{'model.dense' op (C1) weight has shape [10, 784], not [10, 783]}}
%y = model.dense %x, %w : (tensor<784xf32>, tensor<10x783xf32>) -> tensor<10xf32>

// -----

%x, %w, %b = "x"() : () -> (tensor<784xf32>, tensor<10x784xf32>, tensor<11xf32>)
// expected-error @+1 {{(C1) bias has shape [10], not [11]}}
%y = model.dense %x, %w, %b : (tensor<784xf32>, tensor<10x784xf32>, tensor<11xf32>) -> tensor<10xf32>

// -----

%x, %w = "x"() : () -> (tensor<1x28x28xf32>, tensor<32x1x5x5xf32>)
// expected-error @+1 {{'model.conv2d' op (C1) y has shape [32, 24, 24], not [32, 28, 28]}}
%y = model.conv2d %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64}
  : (tensor<1x28x28xf32>, tensor<32x1x5x5xf32>) -> tensor<32x28x28xf32>

// -----

%x, %w = "x"() : () -> (tensor<1x28x28xf32>, tensor<32x1x5x5xf32>)
// expected-error @+1 {{(C2) stride is 2 numbers, each at least 1}}
%y = model.conv2d %x, %w {stride = array<i64: 0, 1>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64}
  : (tensor<1x28x28xf32>, tensor<32x1x5x5xf32>) -> tensor<32x24x24xf32>

// -----

%x, %w = "x"() : () -> (tensor<4x8x8xf32>, tensor<6x1x3x3xf32>)
// expected-error @+1 {{(C3) groups divide the channels, 4 does not divide 4 and 6}}
%y = model.conv2d %x, %w {stride = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilation = array<i64: 1, 1>, groups = 4 : i64}
  : (tensor<4x8x8xf32>, tensor<6x1x3x3xf32>) -> tensor<6x8x8xf32>

// -----

%x = "x"() : () -> tensor<4x9x9xf32>
// expected-error @+1 {{'model.max_pool2d' op (C1) y has shape [4, 4, 4], not [4, 5, 5]}}
%y = model.max_pool2d %x {size = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<4x9x9xf32>) -> tensor<4x5x5xf32>

// -----

%x = "x"() : () -> tensor<4x9x9xf32>
// expected-error @+1 {{'model.avg_pool2d' op (C2) padding is less than size, 2 is not less than 2}}
%y = model.avg_pool2d %x {size = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 2, 0, 0, 0>} : (tensor<4x9x9xf32>) -> tensor<4x5x4xf32>

// -----

%x = "x"() : () -> tensor<4x9x9xf32>
// expected-error @+1 {{(C1) y has shape [4], not [9]}}
%y = model.global_avg_pool %x : (tensor<4x9x9xf32>) -> tensor<9xf32>

// -----

%x, %c = "x"() : () -> (tensor<4x2x2xf32>, tensor<4xf32>)
// expected-error @+1 {{'model.batch_norm' op (C2) the statistics are buffers, read as they are}}
%y = model.batch_norm %x, %c, %c, %c, %c {momentum = 0.1 : f64, eps = 1.0e-5 : f64, axis = 0 : i64, layer = "n"}
  : (tensor<4x2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4x2x2xf32>

// -----

%x = "x"() : () -> tensor<4xf32>
// expected-error @+1 {{'model.dropout' op (C1) p is from 0 to 1, is 1.5}}
%y = model.dropout %x {p = 1.5 : f64, scale = "training", layer = "d"} : tensor<4xf32>

// -----

%x = "x"() : () -> tensor<4xf32>
// expected-error @+1 {{'model.dropout' op (C2) scale is training or inference, is "none"}}
%y = model.dropout %x {p = 0.5 : f64, scale = "none", layer = "d"} : tensor<4xf32>

// -----

%x = "x"() : () -> tensor<4x3xf32>
// expected-error @+1 {{'model.flatten' op (C1) y has shape [12], not [3, 4]}}
%y = model.flatten %x : (tensor<4x3xf32>) -> tensor<3x4xf32>

// -----

%x = "x"() : () -> tensor<4x3xf32>
// expected-error @+1 {{'model.reshape' op (C1) y has 12 elements, not 10}}
%y = model.reshape %x {shape = array<i64: 2, 5>} : (tensor<4x3xf32>) -> tensor<2x5xf32>

// -----

%x = "x"() : () -> tensor<4x3xf32>
// expected-error @+1 {{'model.permute' op (C1) axes are a permutation of x's}}
%y = model.permute %x {axes = array<i64: 1, 1>} : (tensor<4x3xf32>) -> tensor<3x3xf32>

// -----

%x = "x"() : () -> tensor<4x3xf32>
// expected-error @+1 {{'model.permute' op (C2) y has shape [3, 4], not [4, 3]}}
%y = model.permute %x {axes = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<4x3xf32>

// -----

%a, %b = "x"() : () -> (tensor<2x3xf32>, tensor<2x4xf32>)
// expected-error @+1 {{'model.concat' op (C1) y has shape [2, 7], not [2, 8]}}
%y = model.concat %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>

// -----

%x = "x"() : () -> tensor<6xf32>
// expected-error @+1 {{'model.slice' op (C1) 0 ≤ from < to ≤ 6 and step > 0, not from 1 to 7 by 2}}
%y = model.slice %x {axis = 0 : i64, from = 1 : i64, to = 7 : i64, step = 2 : i64} : (tensor<6xf32>) -> tensor<3xf32>

// -----

%x = "x"() : () -> tensor<6xf32>
// expected-error @+1 {{'model.pad' op (C1) before and after are not negative}}
%y = model.pad %x {axis = 0 : i64, before = -1 : i64, after = 0 : i64, value = 0.0 : f64} : (tensor<6xf32>) -> tensor<5xf32>

// -----

%a, %b = "x"() : () -> (tensor<2x3xf32>, tensor<2xf32>)
// expected-error @+1 {{'model.add' op (C1) the shapes of its operands do not broadcast}}
%y = model.add %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>

// -----

%a, %b = "x"() : () -> (tensor<3xf32>, tensor<i32>)
// expected-error @+1 {{'model.equal' op (C2) compares two f32 or two i32, not 'f32' and 'i32'}}
%y = model.equal %a, %b : (tensor<3xf32>, tensor<i32>) -> tensor<3xi1>

// -----

%x = "x"() : () -> tensor<3xf32>
// expected-error @+1 {{'model.softmax' op (C1) axis 1 is none of the 1 there are}}
%y = model.softmax %x {axis = 1 : i64} : tensor<3xf32>

// -----

%x = "x"() : () -> tensor<2x3xf32>
// expected-error @+1 {{'model.sum' op (C1) axes ascend}}
%y = model.sum %x {axes = array<i64: 1, 0>, keep = false} : (tensor<2x3xf32>) -> tensor<f32>

// -----

%a, %b = "x"() : () -> (tensor<2x3xf32>, tensor<4x5xf32>)
// expected-error @+1 {{'model.matmul' op (C1) a has 3 columns, b has 4 rows}}
%y = model.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>

// -----

%y, %label = "x"() : () -> (tensor<10xf32>, tensor<1xi32>)
// expected-error @+1 {{'model.cross_entropy' op (C1) label has shape [], not [1]}}
%e = model.cross_entropy %y, %label {axis = 0 : i64, smoothing = 0.0 : f64} : (tensor<10xf32>, tensor<1xi32>) -> tensor<f32>

// -----

%y, %label = "x"() : () -> (tensor<10xf32>, tensor<i32>)
// expected-error @+1 {{'model.cross_entropy' op (C2) smoothing is from 0 to below 1, is 1}}
%e = model.cross_entropy %y, %label {axis = 0 : i64, smoothing = 1.0 : f64} : (tensor<10xf32>, tensor<i32>) -> tensor<f32>

// -----

%a, %b = "x"() : () -> (tensor<10xf32>, tensor<9xf32>)
// expected-error @+1 {{'model.mse' op (C1) b has shape [10], not [9]}}
%e = model.mse %a, %b : (tensor<10xf32>, tensor<9xf32>) -> tensor<f32>

// -----

%y, %label = "x"() : () -> (tensor<10x4xf32>, tensor<10xi32>)
// expected-error @+1 {{'model.accuracy' op (C1) label has shape [4], not [10]}}
%e = model.accuracy %y, %label {axis = 0 : i64} : (tensor<10x4xf32>, tensor<10xi32>) -> tensor<f32>

// -----

%t, %w = "x"() : () -> (tensor<8xi32>, tensor<10x4xf32>)
// expected-error @+1 {{'model.embedding' op (C1) y has shape [8, 4], not [8, 5]}}
%y = model.embedding %t, %w : (tensor<8xi32>, tensor<10x4xf32>) -> tensor<8x5xf32>

// -----

// expected-error @+1 {{'model.sinusoid' op (C1) y has 2 axes, not 1}}
%y = model.sinusoid : () -> tensor<8xf32>

// -----

%q, %k, %v = "x"() : () -> (tensor<8x6xf32>, tensor<5x6xf32>, tensor<4x6xf32>)
// expected-error @+1 {{'model.attention' op (C1) value has shape [5, 6], not [4, 6]}}
%y = model.attention %q, %k, %v {heads = 2 : i64, causal = false, dropout = 0.0 : f64, layer = "a"} : (tensor<8x6xf32>, tensor<5x6xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>

// -----

%q = "x"() : () -> tensor<8x6xf32>
// expected-error @+1 {{'model.attention' op (C2) 4 heads do not divide 6}}
%y = model.attention %q, %q, %q {heads = 4 : i64, causal = false, dropout = 0.0 : f64, layer = "a"} : (tensor<8x6xf32>, tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>

// -----

%q = "x"() : () -> tensor<8x6xf32>
// expected-error @+1 {{'model.attention' op (C3) dropout is from 0 to below 1, is 1}}
%y = model.attention %q, %q, %q {heads = 2 : i64, causal = false, dropout = 1.0 : f64, layer = "a"} : (tensor<8x6xf32>, tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
