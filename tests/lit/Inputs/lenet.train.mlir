// One training step of a small LeNet on a batch of 64 images 28×28: SGD with momentum, biases included, dropout left out.
train.state @conv1.weight : tensor<5x5x1x32xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @conv1.bias : tensor<32xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @conv2.weight : tensor<5x5x32x64xf32> kind "parameter" init #train.init<normal, 0.0, 0.05>
train.state @conv2.bias : tensor<64xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @dense1.weight : tensor<3136x512xf32> kind "parameter" init #train.init<normal, 0.0, 0.02>
train.state @dense1.bias : tensor<512xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @dense2.weight : tensor<512x10xf32> kind "parameter" init #train.init<normal, 0.0, 0.05>
train.state @dense2.bias : tensor<10xf32> kind "parameter" init #train.init<constant, 0.0, 0.0>
train.state @conv1.weight.momentum : tensor<5x5x1x32xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv1.weight
train.state @conv1.bias.momentum : tensor<32xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv1.bias
train.state @conv2.weight.momentum : tensor<5x5x32x64xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv2.weight
train.state @conv2.bias.momentum : tensor<64xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv2.bias
train.state @dense1.weight.momentum : tensor<3136x512xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense1.weight
train.state @dense1.bias.momentum : tensor<512xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense1.bias
train.state @dense2.weight.momentum : tensor<512x10xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense2.weight
train.state @dense2.bias.momentum : tensor<10xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense2.bias

train.step @lenet.main kind "train" (
    %step: index {train.clock = "step"}, %last: index {train.clock = "last"}, %count: index {train.clock = "count"},
    %image: tensor<64x28x28x1xf32> {train.data = "image"}, %label: tensor<64xi32> {train.data = "label"},
    %w1: tensor<5x5x1x32xf32> {train.owns = @conv1.weight}, %b1: tensor<32xf32> {train.owns = @conv1.bias},
    %w2: tensor<5x5x32x64xf32> {train.owns = @conv2.weight}, %b2: tensor<64xf32> {train.owns = @conv2.bias},
    %w3: tensor<3136x512xf32> {train.owns = @dense1.weight}, %b3: tensor<512xf32> {train.owns = @dense1.bias},
    %w4: tensor<512x10xf32> {train.owns = @dense2.weight}, %b4: tensor<10xf32> {train.owns = @dense2.bias},
    %mw1: tensor<5x5x1x32xf32> {train.owns = @conv1.weight.momentum}, %mb1: tensor<32xf32> {train.owns = @conv1.bias.momentum},
    %mw2: tensor<5x5x32x64xf32> {train.owns = @conv2.weight.momentum}, %mb2: tensor<64xf32> {train.owns = @conv2.bias.momentum},
    %mw3: tensor<3136x512xf32> {train.owns = @dense1.weight.momentum}, %mb3: tensor<512xf32> {train.owns = @dense1.bias.momentum},
    %mw4: tensor<512x10xf32> {train.owns = @dense2.weight.momentum}, %mb4: tensor<10xf32> {train.owns = @dense2.bias.momentum}) {
  %c1 = train.conv2d %image, %w1 {strides = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>}
      : (tensor<64x28x28x1xf32>, tensor<5x5x1x32xf32>) -> tensor<64x28x28x32xf32>
  %cb1 = train.broadcast %b1 to [3] : tensor<32xf32> -> tensor<64x28x28x32xf32>
  %a1 = train.add %c1, %cb1 : tensor<64x28x28x32xf32>, tensor<64x28x28x32xf32> -> tensor<64x28x28x32xf32>
  %r1 = train.relu %a1 : tensor<64x28x28x32xf32>
  %p1, %i1 = train.max_pool2d %r1 {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
      : (tensor<64x28x28x32xf32>) -> (tensor<64x14x14x32xf32>, tensor<64x14x14x32xi8>)

  %c2 = train.conv2d %p1, %w2 {strides = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>}
      : (tensor<64x14x14x32xf32>, tensor<5x5x32x64xf32>) -> tensor<64x14x14x64xf32>
  %cb2 = train.broadcast %b2 to [3] : tensor<64xf32> -> tensor<64x14x14x64xf32>
  %a2 = train.add %c2, %cb2 : tensor<64x14x14x64xf32>, tensor<64x14x14x64xf32> -> tensor<64x14x14x64xf32>
  %r2 = train.relu %a2 : tensor<64x14x14x64xf32>
  %p2, %i2 = train.max_pool2d %r2 {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
      : (tensor<64x14x14x64xf32>) -> (tensor<64x7x7x64xf32>, tensor<64x7x7x64xi8>)

  %f = train.reshape %p2 : tensor<64x7x7x64xf32> -> tensor<64x3136xf32>
  %d3 = train.contract "bk,kn->bn" %f, %w3 : (tensor<64x3136xf32>, tensor<3136x512xf32>) -> tensor<64x512xf32>
  %cb3 = train.broadcast %b3 to [1] : tensor<512xf32> -> tensor<64x512xf32>
  %a3 = train.add %d3, %cb3 : tensor<64x512xf32>, tensor<64x512xf32> -> tensor<64x512xf32>
  %r3 = train.relu %a3 : tensor<64x512xf32>
  %d4 = train.contract "bk,kn->bn" %r3, %w4 : (tensor<64x512xf32>, tensor<512x10xf32>) -> tensor<64x10xf32>
  %cb4 = train.broadcast %b4 to [1] : tensor<10xf32> -> tensor<64x10xf32>
  %logits = train.add %d4, %cb4 : tensor<64x10xf32>, tensor<64x10xf32> -> tensor<64x10xf32>

  %e = train.cross_entropy %logits, %label : tensor<64x10xf32>, tensor<64xi32> -> tensor<64xf32>
  %loss = train.batch_mean %e of %count : tensor<64xf32> -> tensor<f32>
  %g:8 = train.gradient %loss of %w1, %b1, %w2, %b2, %w3, %b3, %w4, %b4
      : tensor<5x5x1x32xf32>, tensor<32xf32>, tensor<5x5x32x64xf32>, tensor<64xf32>, tensor<3136x512xf32>, tensor<512xf32>,
        tensor<512x10xf32>, tensor<10xf32>

  %rate = train.rate "constant"(0.01) at %step of %last : tensor<f32>
  %w1n, %mw1n = train.sgd %w1, %g#0, %mw1 rate %rate {momentum = 0.9}
      : (tensor<5x5x1x32xf32>, tensor<5x5x1x32xf32>, tensor<5x5x1x32xf32>, tensor<f32>) -> (tensor<5x5x1x32xf32>, tensor<5x5x1x32xf32>)
  %b1n, %mb1n = train.sgd %b1, %g#1, %mb1 rate %rate {momentum = 0.9}
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>) -> (tensor<32xf32>, tensor<32xf32>)
  %w2n, %mw2n = train.sgd %w2, %g#2, %mw2 rate %rate {momentum = 0.9}
      : (tensor<5x5x32x64xf32>, tensor<5x5x32x64xf32>, tensor<5x5x32x64xf32>, tensor<f32>) -> (tensor<5x5x32x64xf32>, tensor<5x5x32x64xf32>)
  %b2n, %mb2n = train.sgd %b2, %g#3, %mb2 rate %rate {momentum = 0.9}
      : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<f32>) -> (tensor<64xf32>, tensor<64xf32>)
  %w3n, %mw3n = train.sgd %w3, %g#4, %mw3 rate %rate {momentum = 0.9}
      : (tensor<3136x512xf32>, tensor<3136x512xf32>, tensor<3136x512xf32>, tensor<f32>) -> (tensor<3136x512xf32>, tensor<3136x512xf32>)
  %b3n, %mb3n = train.sgd %b3, %g#5, %mb3 rate %rate {momentum = 0.9}
      : (tensor<512xf32>, tensor<512xf32>, tensor<512xf32>, tensor<f32>) -> (tensor<512xf32>, tensor<512xf32>)
  %w4n, %mw4n = train.sgd %w4, %g#6, %mw4 rate %rate {momentum = 0.9}
      : (tensor<512x10xf32>, tensor<512x10xf32>, tensor<512x10xf32>, tensor<f32>) -> (tensor<512x10xf32>, tensor<512x10xf32>)
  %b4n, %mb4n = train.sgd %b4, %g#7, %mb4 rate %rate {momentum = 0.9}
      : (tensor<10xf32>, tensor<10xf32>, tensor<10xf32>, tensor<f32>) -> (tensor<10xf32>, tensor<10xf32>)

  train.commit states [@conv1.weight, @conv1.bias, @conv2.weight, @conv2.bias, @dense1.weight, @dense1.bias, @dense2.weight,
                       @dense2.bias, @conv1.weight.momentum, @conv1.bias.momentum, @conv2.weight.momentum, @conv2.bias.momentum,
                       @dense1.weight.momentum, @dense1.bias.momentum, @dense2.weight.momentum, @dense2.bias.momentum]
    (%w1n, %b1n, %w2n, %b2n, %w3n, %b3n, %w4n, %b4n, %mw1n, %mb1n, %mw2n, %mb2n, %mw3n, %mb3n, %mw4n, %mb4n
     : tensor<5x5x1x32xf32>, tensor<32xf32>, tensor<5x5x32x64xf32>, tensor<64xf32>, tensor<3136x512xf32>, tensor<512xf32>,
       tensor<512x10xf32>, tensor<10xf32>, tensor<5x5x1x32xf32>, tensor<32xf32>, tensor<5x5x32x64xf32>, tensor<64xf32>,
       tensor<3136x512xf32>, tensor<512xf32>, tensor<512x10xf32>, tensor<10xf32>)
    outputs ["loss"] (%loss : tensor<f32>)
}
