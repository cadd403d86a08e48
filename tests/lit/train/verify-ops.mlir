// The ops inside a step: each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect -o /dev/null

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3xf32>)
// expected-error @+1 {{'train.add' op (P2) operand 1 must have the result's shape or rank 0, is 'tensor<3xf32>'}}
%y = train.add %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>

// -----

%a = "test.values"() : () -> (tensor<3xf32>)
// expected-error @+1 {{'train.compare' op (C1) predicate is eq, ne, lt, le, gt or ge, is "near"}}
%y = train.compare "near" %a, %a : tensor<3xf32>, tensor<3xf32> -> tensor<3xi1>

// -----

%a, %b = "test.values"() : () -> (tensor<3xf32>, tensor<3xi32>)
// expected-error @+1 {{'train.compare' op (C2) a and b must have one element type}}
%y = train.compare "eq" %a, %b : tensor<3xf32>, tensor<3xi32> -> tensor<3xi1>

// -----

%a = "test.values"() : () -> (tensor<3xi1>)
// expected-error @+1 {{'train.logic' op (C1) kind is and, or or xor, is "nand"}}
%y = train.logic "nand" %a, %a : tensor<3xi1>, tensor<3xi1> -> tensor<3xi1>

// -----

%a = "test.values"() : () -> (tensor<3xf32>)
// expected-error @+1 {{'train.cast' op (C1) x holds integers or booleans}}
%y = train.cast %a : tensor<3xf32> -> tensor<3xf32>

// -----

%a = "test.values"() : () -> (tensor<i32>)
// expected-error @+1 {{'train.one_hot' op (C1) y has a last axis, the classes}}
%y = train.one_hot %a : tensor<i32> -> tensor<f32>

// -----

%a, %n = "test.values"() : () -> (tensor<f32>, index)
// expected-error @+1 {{'train.mask_rows' op (C1) y has rows}}
%y = train.mask_rows %a of %n : tensor<f32>

// -----

%a, %n = "test.values"() : () -> (tensor<f32>, index)
// expected-error @+1 {{'train.batch_mean_grad' op (C1) dx has rows}}
%y = train.batch_mean_grad %a of %n : tensor<f32> -> tensor<f32>

// -----

%a, %n = "test.values"() : () -> (tensor<i32>, index)
// expected-error @+1 {{'train.random' op (C1) y has rows, one an example}}
%y = train.random "d" of %a draw %n seed %n : tensor<i32> -> tensor<f32>

// -----

%n = "test.values"() : () -> (index)
// expected-error @+1 {{'train.rate' op (C1) kind is constant, linear, cosine, exponential or step, is "square"}}
%y = train.rate "square"(1.0) at %n of %n : tensor<f32>

// -----

%n = "test.values"() : () -> (index)
// expected-error @+1 {{'train.rate' op (C2) warmup must not be negative, is -1}}
%y = train.rate "linear"(1.0) at %n of %n {warmup = -1 : i64} : tensor<f32>

// -----

%n = "test.values"() : () -> (index)
// expected-error @+1 {{'train.rate' op (C3) every must be positive, is 0}}
%y = train.rate "step"(1.0) at %n of %n {every = 0 : i64} : tensor<f32>

// -----

%n = "test.values"() : () -> (index)
// expected-error @+1 {{'train.rate' op (C4) a length in epochs needs `epochs`, how many steps one has}}
%y = train.rate "step"(1.0) at %n of %n {every = 2 : i64, every_epochs} : tensor<f32>

// -----

%n = "test.values"() : () -> (index)
// expected-error @+1 {{'train.pulse' op (C1) every must be positive, is 0}}
%y = train.pulse 0 at %n : tensor<f32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C1) axes are written like "bk,nk->bn", are "bk,kn"}}
%y = train.contract "bk,kn" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C1) "bkx" has 3 letters for 2 axes}}
%y = train.contract "bkx,kn->bn" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C1) "kk" repeats 'k'}}
%y = train.contract "bk,kk->bk" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C2) 'k' has extents 3 and 4}}
%y = train.contract "bk,nk->bn" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C3) 'z' stands in no operand}}
%y = train.contract "bk,kn->bz" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<3x4xf32>)
// expected-error @+1 {{'train.contract' op (C3) 'n' stands in one operand alone and not in the result}}
%y = train.contract "bk,kn->b" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<1x5x5x1xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d' op (C1) channels and batch must agree: x has [1, 5, 5, 1], w [3, 3, 2, 4], y [1, 3, 3, 4]}}
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x5x5x1xf32>, tensor<3x3x2x4xf32>) -> tensor<1x3x3x4xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<5x5x2xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d' op (C1) x, w and y must have rank 4}}
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<5x5x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x3x3x4xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d' op (C2) y's axis 2 must have extent 3, has 4}}
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x3x4x4xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d' op (C2) the kernel is larger than the padded image along axis 1}}
%y = train.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 3, 1>} : (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x1x3x4xf32>

// -----

%x, %w = "test.values"() : () -> (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d' op (C3) strides and dilations are two positive numbers, padding is four that are not negative}}
%y = train.conv2d %x, %w {strides = array<i64: 0, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x5x5x2xf32>, tensor<3x3x2x4xf32>) -> tensor<1x3x3x4xf32>

// -----

%y, %w = "test.values"() : () -> (tensor<1x3x3x4xf32>, tensor<3x3x2x4xf32>)
// expected-error @+1 {{'train.conv2d_input_grad' op (C2) y's axis 1 must have extent 4, has 3}}
%x = train.conv2d_input_grad %y, %w {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x3x4xf32>, tensor<3x3x2x4xf32>) -> tensor<1x6x5x2xf32>

// -----

%x, %y = "test.values"() : () -> (tensor<1x5x5x2xf32>, tensor<1x3x3x4xf32>)
// expected-error @+1 {{'train.conv2d_weight_grad' op (C2) y's axis 1 must have extent 4, has 3}}
%w = train.conv2d_weight_grad %x, %y {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x5x5x2xf32>, tensor<1x3x3x4xf32>) -> tensor<2x3x2x4xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.sum' op (C1) axes must be distinct, sorted and below 3}}
%y = train.sum %x over [1, 0] : tensor<2x3x4xf32> -> tensor<4xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.sum' op (C2) y must have shape [2, 4], has [4, 2]}}
%y = train.sum %x over [1] : tensor<2x3x4xf32> -> tensor<4x2xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.reduce_max' op (C1) axes must be distinct, sorted and below 3}}
%y = train.reduce_max %x over [3] : tensor<2x3x4xf32> -> tensor<2x3x4xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.argmax' op (C2) y must have shape [2, 3], has [2]}}
%y = train.argmax %x : tensor<2x3x4xf32> -> tensor<2xi32>

// -----

%x, %n = "test.values"() : () -> (tensor<f32>, index)
// expected-error @+1 {{'train.batch_mean' op (C1) x has rows}}
%y = train.batch_mean %x of %n : tensor<f32> -> tensor<f32>

// -----

%x, %n = "test.values"() : () -> (tensor<2x3xf32>, index)
// expected-error @+1 {{'train.batch_mean' op (C2) y must have shape [3], has []}}
%y = train.batch_mean %x of %n : tensor<2x3xf32> -> tensor<f32>

// -----

%x, %n = "test.values"() : () -> (tensor<2xf32>, index)
// expected-error @+1 {{'train.moments' op (C1) x has rows and channels}}
%m, %v = train.moments %x of %n : tensor<2xf32> -> tensor<f32>, tensor<f32>

// -----

%x, %n = "test.values"() : () -> (tensor<2x3xf32>, index)
// expected-error @+1 {{'train.moments' op (C2) variance must have shape [3], has [2]}}
%m, %v = train.moments %x of %n : tensor<2x3xf32> -> tensor<3xf32>, tensor<2xf32>

// -----

%x = "test.values"() : () -> (tensor<f32>)
// expected-error @+1 {{'train.softmax' op (C1) x has a last axis}}
%y = train.softmax %x : tensor<f32>

// -----

%x, %t = "test.values"() : () -> (tensor<2x4xf32>, tensor<3xi32>)
// expected-error @+1 {{'train.cross_entropy' op (C1) labels must have shape [2], has [3]}}
%y = train.cross_entropy %x, %t : tensor<2x4xf32>, tensor<3xi32> -> tensor<2xf32>

// -----

%x, %t = "test.values"() : () -> (tensor<2x4xf32>, tensor<2xi32>)
// expected-error @+1 {{'train.cross_entropy' op (C2) 0 ≤ smoothing < 1, is 1}}
%y = train.cross_entropy %x, %t {smoothing = 1.0 : f64} : tensor<2x4xf32>, tensor<2xi32> -> tensor<2xf32>

// -----

%e, %x, %t = "test.values"() : () -> (tensor<2xf32>, tensor<2x4xf32>, tensor<2xi32>)
// expected-error @+1 {{'train.cross_entropy_grad' op (C1) dlogits must have shape [2, 4], has [2, 3]}}
%y = train.cross_entropy_grad %e, %x, %t : (tensor<2xf32>, tensor<2x4xf32>, tensor<2xi32>) -> tensor<2x3xf32>

// -----

%x = "test.values"() : () -> (tensor<1x4x4x3xf32>)
// expected-error @+1 {{'train.max_pool2d' op (C1) what is pooled must have shape [1, 2, 2, 3], has [1, 2, 3, 3]}}
%y, %i = train.max_pool2d %x {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x3xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x2x2x3xi8>)

// -----

%x = "test.values"() : () -> (tensor<1x4x4x3xf32>)
// expected-error @+1 {{'train.avg_pool2d' op (C2) padding 2 must be less than size 2}}
%y = train.avg_pool2d %x {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 2, 0, 0>} : (tensor<1x4x4x3xf32>) -> tensor<1x2x3x3xf32>

// -----

%x = "test.values"() : () -> (tensor<1x4x4x3xf32>)
// expected-error @+1 {{'train.avg_pool2d' op (C3) size and strides are two positive numbers, padding is four that are not negative}}
%y = train.avg_pool2d %x {size = array<i64: 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x3xf32>) -> tensor<1x2x3x3xf32>

// -----

%x = "test.values"() : () -> (tensor<1x12x12x3xf32>)
// expected-error @+1 {{'train.max_pool2d' op (C4) positions in a window of 144 do not fit i8}}
%y, %i = train.max_pool2d %x {size = array<i64: 12, 12>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<1x12x12x3xf32>) -> (tensor<1x1x1x3xf32>, tensor<1x1x1x3xi8>)

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.reshape' op (C1) x has 24 elements, y has 23}}
%y = train.reshape %x : tensor<2x3x4xf32> -> tensor<23xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.reshape' op (V1) operand and result must have one element type}}
%y = train.reshape %x : tensor<2x3x4xf32> -> tensor<24xi32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.transpose' op (C1) perm must be a permutation of x's 3 axes}}
%y = train.transpose %x by [0, 1] : tensor<2x3x4xf32> -> tensor<2x3xf32>

// -----

%x = "test.values"() : () -> (tensor<2x3x4xf32>)
// expected-error @+1 {{'train.transpose' op (C2) y must have shape [4, 2, 3], has [2, 3, 4]}}
%y = train.transpose %x by [2, 0, 1] : tensor<2x3x4xf32> -> tensor<2x3x4xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.broadcast' op (C1) dims must be distinct, sorted and below 2}}
%y = train.broadcast %x to [2] : tensor<4xf32> -> tensor<3x4xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.broadcast' op (C2) x must have shape [3], has [4]}}
%y = train.broadcast %x to [0] : tensor<4xf32> -> tensor<3x4xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.slice' op (C1) x, y, offsets and strides must have one rank}}
%y = train.slice %x at [0, 0] by [1] : tensor<4xf32> -> tensor<3xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.slice' op (C2) offsets must not be negative, strides must be positive}}
%y = train.slice %x at [0] by [0] : tensor<4xf32> -> tensor<3xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.slice' op (C3) axis 0 reaches beyond its extent of 4}}
%y = train.slice %x at [1] by [2] : tensor<4xf32> -> tensor<3xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.pad' op (C3) axis 0 reaches beyond its extent of 5}}
%y = train.pad %x at [2] by [1] with 0.0 : tensor<4xf32> -> tensor<5xf32>

// -----

%x = "test.values"() : () -> (tensor<4xf32>)
// expected-error @+1 {{'train.concat' op (C1) axis 1 does not exist}}
%y = train.concat %x, %x along 1 : tensor<4xf32>, tensor<4xf32> -> tensor<8xf32>

// -----

%a, %b = "test.values"() : () -> (tensor<2x3xf32>, tensor<2x4xf32>)
// expected-error @+1 {{'train.concat' op (C2) operand 1 must agree with operand 0 but for axis 0}}
%y = train.concat %a, %b along 0 : tensor<2x3xf32>, tensor<2x4xf32> -> tensor<4x3xf32>

// -----

%a = "test.values"() : () -> (tensor<2x3xf32>)
// expected-error @+1 {{'train.concat' op (C3) y must have shape [4, 3], has [5, 3]}}
%y = train.concat %a, %a along 0 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<5x3xf32>

// -----

%w, %m, %r = "test.values"() : () -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.sgd' op (C1) momentum's state and its result stand exactly where momentum > 0}}
%y = train.sgd %w, %w rate %r {momentum = 0.9 : f64} : (tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<4xf32>

// -----

%w, %m, %r = "test.values"() : () -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.sgd' op (C2) nesterov needs a momentum}}
%y = train.sgd %w, %w rate %r {nesterov} : (tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<4xf32>

// -----

%w, %g, %r = "test.values"() : () -> (tensor<4xf32>, tensor<5xf32>, tensor<f32>)
// expected-error @+1 {{'train.sgd' op (U1) w, its gradient, its states and all results must have one type}}
%y = train.sgd %w, %g rate %r : (tensor<4xf32>, tensor<5xf32>, tensor<f32>) -> tensor<4xf32>

// -----

%w, %m, %r = "test.values"() : () -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.adam' op (C1) 0 ≤ beta1 < 1, is 1}}
%y:3 = train.adam %w, %w, %m, %m rate %r corrections %r, %r {beta1 = 1.0, beta2 = 0.9, eps = 1.0e-8} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)

// -----

%w, %m, %r = "test.values"() : () -> (tensor<4xf32>, tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.adam' op (C2) eps must not be negative, is -1}}
%y:3 = train.adam %w, %w, %m, %m rate %r corrections %r, %r {beta1 = 0.9, beta2 = 0.9, eps = -1.0} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)

// -----

%y, %w = "test.values"() : () -> (tensor<f32>, tensor<4xf32>)
// expected-error @+1 {{'train.gradient' op each gradient has the type of what it is of}}
%g = "train.gradient"(%y, %w) : (tensor<f32>, tensor<4xf32>) -> tensor<5xf32>

// -----

%t, %i = "test.values"() : () -> (tensor<5x3x2xf32>, tensor<4xi32>)
// expected-error @+1 {{'train.gather' op (C1) the table is [count, size], is 'tensor<5x3x2xf32>'}}
%y = train.gather %t at %i : tensor<5x3x2xf32>, tensor<4xi32> -> tensor<4x3xf32>

// -----

%t, %i = "test.values"() : () -> (tensor<5x3xf32>, tensor<2x4xi32>)
// expected-error @+1 {{'train.gather' op (C2) y}}
%y = train.gather %t at %i : tensor<5x3xf32>, tensor<2x4xi32> -> tensor<2x4x5xf32>

// -----

%d, %i = "test.values"() : () -> (tensor<4x3xf32>, tensor<5xi32>)
// expected-error @+1 {{'train.gather_grad' op (C2) dy}}
%y = train.gather_grad %d at %i : tensor<4x3xf32>, tensor<5xi32> -> tensor<7x3xf32>

// -----

%x = "test.values"() : () -> tensor<4x3xf32>
// expected-error @+1 {{'train.causal_mask' op (C1) x has two axes behind the batch's}}
%y = train.causal_mask %x : tensor<4x3xf32>

// -----

// expected-error @+1 {{'train.sinusoid' op (C1) y is [T, D]}}
%y = train.sinusoid : tensor<2x4x3xf32>
