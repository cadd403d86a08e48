// The rules of convolutions, of norms in groups, and of what makes images larger.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

%x, %w = "x"() : () -> (tensor<4x10xf32>, tensor<6x4x3xf32>)
// expected-error @+1 {{'model.conv1d' op (C1) y has shape [6, 8], not [6, 10]}}
%y = model.conv1d %x, %w {stride = array<i64: 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1>, groups = 1 : i64}
  : (tensor<4x10xf32>, tensor<6x4x3xf32>) -> tensor<6x10xf32>

// -----

%x, %w = "x"() : () -> (tensor<4x10xf32>, tensor<6x2x3xf32>)
// expected-error @+1 {{'model.conv1d' op (C3) groups divide the channels, 4 does not divide 4 and 6}}
%y = model.conv1d %x, %w {stride = array<i64: 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1>, groups = 4 : i64}
  : (tensor<4x10xf32>, tensor<6x2x3xf32>) -> tensor<6x8xf32>

// -----

%x, %w = "x"() : () -> (tensor<8x7x7xf32>, tensor<8x2x2x2xf32>)
// expected-error @+1 {{'model.conv_transpose2d' op (C1) weight has shape [8, 4, 2, 2], not [8, 2, 2, 2]}}
%y = model.conv_transpose2d %x, %w {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64}
  : (tensor<8x7x7xf32>, tensor<8x2x2x2xf32>) -> tensor<4x14x14xf32>

// -----

%x, %w = "x"() : () -> (tensor<8x7x7xf32>, tensor<8x4x2x2xf32>)
// expected-error @+1 {{'model.conv_transpose2d' op (C1) x has shape [8, 8, 7], not [8, 7, 7]}}
%y = model.conv_transpose2d %x, %w {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64}
  : (tensor<8x7x7xf32>, tensor<8x4x2x2xf32>) -> tensor<4x16x14xf32>

// -----

%x, %w, %b = "x"() : () -> (tensor<6x7x7xf32>, tensor<6xf32>, tensor<6xf32>)
// expected-error @+1 {{'model.group_norm' op (C2) groups divide the channels, 4 does not divide 6}}
%y = model.group_norm %x, %w, %b {groups = 4 : i64, eps = 1.0e-5 : f64, axis = 0 : i64}
  : (tensor<6x7x7xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<6x7x7xf32>

// -----

%x, %w = "x"() : () -> (tensor<6x7x7xf32>, tensor<7xf32>)
// expected-error @+1 {{'model.group_norm' op (C1) weight has shape [6], not [7]}}
%y = model.group_norm %x, %w {groups = 2 : i64, eps = 1.0e-5 : f64, axis = 0 : i64} : (tensor<6x7x7xf32>, tensor<7xf32>) -> tensor<6x7x7xf32>

// -----

%x, %w = "x"() : () -> (tensor<6xf32>, tensor<6xf32>)
// expected-error @+1 {{'model.group_norm' op (C3) eps is not negative}}
%y = model.group_norm %x, %w {groups = 2 : i64, eps = -1.0 : f64, axis = 0 : i64} : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>

// -----

%x = "x"() : () -> (tensor<6xf32>)
// expected-error @+1 {{'model.gaussian_noise' op (C1) std is not negative}}
%y = model.gaussian_noise %x {std = -0.5 : f64, layer = "noise"} : tensor<6xf32>

// -----

%x = "x"() : () -> (tensor<6x3x4xf32>)
// expected-error @+1 {{'model.upsample2d' op (C1) y has shape [6, 6, 8], not [6, 6, 6]}}
%y = model.upsample2d %x {factor = array<i64: 2, 2>, mode = "nearest"} : (tensor<6x3x4xf32>) -> tensor<6x6x6xf32>

// -----

%x = "x"() : () -> (tensor<6x3x4xf32>)
// expected-error @+1 {{'model.upsample2d' op (C2) factor is 2 numbers, each at least 1}}
%y = model.upsample2d %x {factor = array<i64: 2, 0>, mode = "nearest"} : (tensor<6x3x4xf32>) -> tensor<6x6x6xf32>

// -----

%x = "x"() : () -> (tensor<6x3x4xf32>)
// expected-error @+1 {{'model.upsample2d' op (C3) mode is nearest or bilinear, is "cubic"}}
%y = model.upsample2d %x {factor = array<i64: 2, 2>, mode = "cubic"} : (tensor<6x3x4xf32>) -> tensor<6x6x8xf32>

// -----

%x = "x"() : () -> (tensor<6x3x4xf32>)
// expected-error @+1 {{'model.pixel_shuffle' op (C2) r² divides the channels, 4 does not divide 6}}
%y = model.pixel_shuffle %x {r = 2 : i64} : (tensor<6x3x4xf32>) -> tensor<1x6x8xf32>

// -----

%x = "x"() : () -> (tensor<6x3xf32>)
// expected-error @+1 {{'model.argmax' op (C2) y has shape [6], not [3]}}
%y = model.argmax %x {axis = 1 : i64} : (tensor<6x3xf32>) -> tensor<3xi32>

// -----

%a, %b = "x"() : () -> (tensor<6xf32>, tensor<5xf32>)
// expected-error @+1 {{'model.pairwise' op (C1) b has shape [6], not [5]}}
%y = model.pairwise %a, %b : (tensor<6xf32>, tensor<5xf32>) -> tensor<32xf32>

// -----

%x = "x"() : () -> (tensor<f32>)
// expected-error @+1 {{'model.mask_columns' op (C1) x has an axis}}
%y = model.mask_columns %x {value = 0.0 : f64} : tensor<f32>
