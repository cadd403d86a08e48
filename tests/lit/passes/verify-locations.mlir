// An op that leads to no line is an error; a name around a line leads there, a name alone does not.
// RUN: sinter-opt %s -split-input-file -verify-locations -verify-diagnostics -o /dev/null

train.step @s kind "eval" (%x: tensor<4xf32> {train.data = "x"}) {
  %y = train.exp %x : tensor<4xf32> loc(fused["layer", "gradient"("net.sinter":3:1)])
  train.commit results ["y"] (%y : tensor<4xf32>)
}

// -----

train.step @s kind "eval" (%x: tensor<4xf32> {train.data = "x"}) {
  // expected-error @unknown {{'train.exp' op leads to no line of the source; its place is loc("layer")}}
  %y = train.exp %x : tensor<4xf32> loc("layer")
  train.commit results ["y"] (%y : tensor<4xf32>)
}
