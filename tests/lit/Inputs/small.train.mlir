// A small net's training step: convolutions, pools, dense layers, dropout; some parameters go by SGD with momentum, some by Adam.
train.state @conv1.weight : tensor<3x3x1x16xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @conv1.bias : tensor<16xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @conv2.weight : tensor<3x3x16x18xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @conv2.bias : tensor<18xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @dense1.weight : tensor<72x20xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @dense1.bias : tensor<20xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @dense2.weight : tensor<20x3xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @dense2.bias : tensor<3xf32> kind "parameter" init #train.init<normal, 0.0, 0.2>
train.state @conv1.weight.momentum : tensor<3x3x1x16xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv1.weight
train.state @conv1.bias.momentum : tensor<16xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv1.bias
train.state @conv2.weight.mean : tensor<3x3x16x18xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv2.weight
train.state @conv2.weight.square : tensor<3x3x16x18xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv2.weight
train.state @conv2.bias.momentum : tensor<18xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @conv2.bias
train.state @dense1.weight.momentum : tensor<72x20xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense1.weight
train.state @dense1.bias.momentum : tensor<20xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense1.bias
train.state @dense2.weight.mean : tensor<20x3xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense2.weight
train.state @dense2.weight.square : tensor<20x3xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense2.weight
train.state @dense2.bias.momentum : tensor<3xf32> kind "optimizer" init #train.init<constant, 0.0, 0.0> of @dense2.bias
train.step @small kind "train" (
    %step: index {train.clock = "step"}, %last: index {train.clock = "last"}, %count: index {train.clock = "count"},
    %seed: index {train.clock = "seed"}, %draw: index {train.clock = "draw"}, %ids: tensor<4xi32> {train.clock = "ids"},
    %image: tensor<4x8x8x1xf32> {train.data = "image"}, %label: tensor<4xi32> {train.data = "label"},
    %w1: tensor<3x3x1x16xf32> {train.owns = @conv1.weight},
    %b1: tensor<16xf32> {train.owns = @conv1.bias},
    %w2: tensor<3x3x16x18xf32> {train.owns = @conv2.weight},
    %b2: tensor<18xf32> {train.owns = @conv2.bias},
    %w3: tensor<72x20xf32> {train.owns = @dense1.weight},
    %b3: tensor<20xf32> {train.owns = @dense1.bias},
    %w4: tensor<20x3xf32> {train.owns = @dense2.weight},
    %b4: tensor<3xf32> {train.owns = @dense2.bias},
    %momentum.w1: tensor<3x3x1x16xf32> {train.owns = @conv1.weight.momentum},
    %momentum.b1: tensor<16xf32> {train.owns = @conv1.bias.momentum},
    %mean.w2: tensor<3x3x16x18xf32> {train.owns = @conv2.weight.mean},
    %square.w2: tensor<3x3x16x18xf32> {train.owns = @conv2.weight.square},
    %momentum.b2: tensor<18xf32> {train.owns = @conv2.bias.momentum},
    %momentum.w3: tensor<72x20xf32> {train.owns = @dense1.weight.momentum},
    %momentum.b3: tensor<20xf32> {train.owns = @dense1.bias.momentum},
    %mean.w4: tensor<20x3xf32> {train.owns = @dense2.weight.mean},
    %square.w4: tensor<20x3xf32> {train.owns = @dense2.weight.square},
    %momentum.b4: tensor<3xf32> {train.owns = @dense2.bias.momentum}) {
  %c1 = train.conv2d %image, %w1 {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<4x8x8x1xf32>, tensor<3x3x1x16xf32>) -> tensor<4x8x8x16xf32>
  %cb1 = train.broadcast %b1 to [3] : tensor<16xf32> -> tensor<4x8x8x16xf32>
  %a1 = train.add %c1, %cb1 : tensor<4x8x8x16xf32>, tensor<4x8x8x16xf32> -> tensor<4x8x8x16xf32>
  %r1 = train.relu %a1 : tensor<4x8x8x16xf32>
  %p1, %i1 = train.max_pool2d %r1 {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<4x8x8x16xf32>) -> (tensor<4x4x4x16xf32>, tensor<4x4x4x16xi8>)
  %c2 = train.conv2d %p1, %w2 {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<4x4x4x16xf32>, tensor<3x3x16x18xf32>) -> tensor<4x4x4x18xf32>
  %cb2 = train.broadcast %b2 to [3] : tensor<18xf32> -> tensor<4x4x4x18xf32>
  %a2 = train.add %c2, %cb2 : tensor<4x4x4x18xf32>, tensor<4x4x4x18xf32> -> tensor<4x4x4x18xf32>
  %r2 = train.relu %a2 : tensor<4x4x4x18xf32>
  %p2, %i2 = train.max_pool2d %r2 {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>} : (tensor<4x4x4x18xf32>) -> (tensor<4x2x2x18xf32>, tensor<4x2x2x18xi8>)
  %f = train.reshape %p2 : tensor<4x2x2x18xf32> -> tensor<4x72xf32>
  %c3 = train.contract "bk,kn->bn" %f, %w3 : (tensor<4x72xf32>, tensor<72x20xf32>) -> tensor<4x20xf32>
  %cb3 = train.broadcast %b3 to [1] : tensor<20xf32> -> tensor<4x20xf32>
  %a3 = train.add %c3, %cb3 : tensor<4x20xf32>, tensor<4x20xf32> -> tensor<4x20xf32>
  %r3 = train.relu %a3 : tensor<4x20xf32>
  %idb = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x20xi32>
  %u = train.random "dropout" of %idb draw %draw seed %seed : tensor<4x20xi32> -> tensor<4x20xf32>
  %half = train.constant dense<0.5> : tensor<f32>
  %zero = train.constant dense<0.0> : tensor<f32>
  %two = train.constant dense<2.0> : tensor<f32>
  %mask = train.compare "ge" %u, %half : tensor<4x20xf32>, tensor<f32> -> tensor<4x20xi1>
  %scaled = train.mul %r3, %two : tensor<4x20xf32>, tensor<f32> -> tensor<4x20xf32>
  %d = train.select %mask, %scaled, %zero : tensor<4x20xi1>, tensor<4x20xf32>, tensor<f32> -> tensor<4x20xf32>
  %c4 = train.contract "bk,kn->bn" %d, %w4 : (tensor<4x20xf32>, tensor<20x3xf32>) -> tensor<4x3xf32>
  %cb4 = train.broadcast %b4 to [1] : tensor<3xf32> -> tensor<4x3xf32>
  %logits = train.add %c4, %cb4 : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  %e = train.cross_entropy %logits, %label : tensor<4x3xf32>, tensor<4xi32> -> tensor<4xf32>
  %loss = train.batch_mean %e of %count : tensor<4xf32> -> tensor<f32>
  %best = train.argmax %logits : tensor<4x3xf32> -> tensor<4xi32>
  %hit = train.compare "eq" %best, %label : tensor<4xi32>, tensor<4xi32> -> tensor<4xi1>
  %hits = train.cast %hit : tensor<4xi1> -> tensor<4xf32>
  %accuracy = train.batch_mean %hits of %count : tensor<4xf32> -> tensor<f32>
  %g:8 = train.gradient %loss of %w1, %b1, %w2, %b2, %w3, %b3, %w4, %b4
      : tensor<3x3x1x16xf32>, tensor<16xf32>, tensor<3x3x16x18xf32>, tensor<18xf32>, tensor<72x20xf32>, tensor<20xf32>, tensor<20x3xf32>, tensor<3xf32>
  %rate = train.rate "cosine"(0.01) at %step of %last {warmup = 2 : i64} : tensor<f32>
  %c1c = train.bias_correction 0.9 at %step : tensor<f32>
  %c2c = train.bias_correction 0.999 at %step : tensor<f32>
  %w1n, %momentum.w1n = train.sgd %w1, %g#0, %momentum.w1 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<3x3x1x16xf32>, tensor<3x3x1x16xf32>, tensor<3x3x1x16xf32>, tensor<f32>) -> (tensor<3x3x1x16xf32>, tensor<3x3x1x16xf32>)
  %b1n, %momentum.b1n = train.sgd %b1, %g#1, %momentum.b1 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>) -> (tensor<16xf32>, tensor<16xf32>)
  %w2n, %mean.w2n, %square.w2n = train.adam %w2, %g#2, %mean.w2, %square.w2 rate %rate corrections %c1c, %c2c
      {beta1 = 0.9, beta2 = 0.999, eps = 1.0e-8} : (tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>)
  %b2n, %momentum.b2n = train.sgd %b2, %g#3, %momentum.b2 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<18xf32>, tensor<18xf32>, tensor<18xf32>, tensor<f32>) -> (tensor<18xf32>, tensor<18xf32>)
  %w3n, %momentum.w3n = train.sgd %w3, %g#4, %momentum.w3 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<72x20xf32>, tensor<72x20xf32>, tensor<72x20xf32>, tensor<f32>) -> (tensor<72x20xf32>, tensor<72x20xf32>)
  %b3n, %momentum.b3n = train.sgd %b3, %g#5, %momentum.b3 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<20xf32>, tensor<20xf32>, tensor<20xf32>, tensor<f32>) -> (tensor<20xf32>, tensor<20xf32>)
  %w4n, %mean.w4n, %square.w4n = train.adam %w4, %g#6, %mean.w4, %square.w4 rate %rate corrections %c1c, %c2c
      {beta1 = 0.9, beta2 = 0.999, eps = 1.0e-8} : (tensor<20x3xf32>, tensor<20x3xf32>, tensor<20x3xf32>, tensor<20x3xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<20x3xf32>, tensor<20x3xf32>, tensor<20x3xf32>)
  %b4n, %momentum.b4n = train.sgd %b4, %g#7, %momentum.b4 rate %rate {momentum = 0.9, weight_decay = 0.01}
      : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>)
  train.commit states [@conv1.weight, @conv1.weight.momentum, @conv1.bias, @conv1.bias.momentum, @conv2.weight, @conv2.weight.mean, @conv2.weight.square, @conv2.bias, @conv2.bias.momentum, @dense1.weight, @dense1.weight.momentum, @dense1.bias, @dense1.bias.momentum, @dense2.weight, @dense2.weight.mean, @dense2.weight.square, @dense2.bias, @dense2.bias.momentum]
    (%w1n, %momentum.w1n, %b1n, %momentum.b1n, %w2n, %mean.w2n, %square.w2n, %b2n, %momentum.b2n, %w3n, %momentum.w3n, %b3n, %momentum.b3n, %w4n, %mean.w4n, %square.w4n, %b4n, %momentum.b4n
     : tensor<3x3x1x16xf32>, tensor<3x3x1x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<3x3x16x18xf32>, tensor<18xf32>, tensor<18xf32>, tensor<72x20xf32>, tensor<72x20xf32>, tensor<20xf32>, tensor<20xf32>, tensor<20x3xf32>, tensor<20x3xf32>, tensor<20x3xf32>, tensor<3xf32>, tensor<3xf32>)
    outputs ["loss", "accuracy"] (%loss, %accuracy : tensor<f32>, tensor<f32>) results ["logits"] (%logits : tensor<4x3xf32>)
}
