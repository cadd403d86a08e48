// One ReLU that does something, one behind it that does not, one behind a pool and a transpose that does not either.
train.step @twice kind "predict" (%x: tensor<2x4x4x3xf32> {train.data = "x"}) {
  %a = train.relu %x : tensor<2x4x4x3xf32>
  %b = train.relu %a : tensor<2x4x4x3xf32>
  %c, %at = train.max_pool2d %b {size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
      : (tensor<2x4x4x3xf32>) -> (tensor<2x2x2x3xf32>, tensor<2x2x2x3xi8>)
  %d = train.transpose %c by [0, 3, 1, 2] : tensor<2x2x2x3xf32> -> tensor<2x3x2x2xf32>
  %e = train.relu %d : tensor<2x3x2x2xf32>
  train.commit results ["y"] (%e : tensor<2x3x2x2xf32>)
}
