// States, runs, steps and their commit: each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -o /dev/null

// expected-error @+1 {{'train.state' op (C1) a state that begins orthogonal has rank 2 or more, has 1}}
train.state @w : tensor<4xf32> kind "parameter" init <orthogonal, 1.0, 0.0>

// -----

// expected-error @+1 {{'train.state' op (C2) kind is "parameter", "buffer", "teacher" or "optimizer", is "weight"}}
train.state @w : tensor<4xf32> kind "weight" init <constant, 0.0, 0.0>

// -----

// expected-error @+1 {{'train.state' op (C2) `of` stands exactly where kind is "optimizer"}}
train.state @m : tensor<4xf32> kind "optimizer" init <constant, 0.0, 0.0>

// -----

train.state @b : tensor<4xf32> kind "teacher" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.state' op (C2) `of` must name a parameter or buffer, names @b}}
train.state @m : tensor<4xf32> kind "optimizer" init <constant, 0.0, 0.0> of @b

// -----

train.state @m : tensor<4xf32> kind "teacher" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.state' op (C2) `of` must name a parameter or buffer, names @m}}
train.state @"Mean:w" : tensor<4xf32> kind "teacher" init <constant, 0.0, 0.0> of @m

// -----

// expected-error @+1 {{'train.state' op (C3) layout has 6 elements, the type has 4}}
train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0> layout <shape = [2, 3], view = [2, 3], perm = [1, 0]>

// -----

// expected-error @+1 {{(C1) shape and view must have equally many elements, have 4 and 6}}
train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0> layout <shape = [4], view = [2, 3], perm = [1, 0]>

// -----

// expected-error @+1 {{(C2) perm must be a permutation of view's 2 axes}}
train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0> layout <shape = [4], view = [2, 2], perm = [1, 1]>

// -----

// expected-error @+1 {{'train.run' op trains on data that is not declared: @digits}}
train.run @Net on @digits seed 7 {
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.step' op kind is "train", "update", "eval" or "predict", is "test"}}
train.step @s kind "test" (%w: tensor<4xf32> {train.reads = @w}) {
  train.commit
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.owns = @w}) {
  // expected-error @+1 {{'train.commit' op (S1) does not commit @w, which this step owns}}
  train.commit
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.owns = @w}) {
  // expected-error @+1 {{'train.commit' op (S1) commits @w twice}}
  train.commit states [@w, @w] (%w, %w : tensor<4xf32>, tensor<4xf32>)
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.owns = @w}) {
  %v = train.reshape %w : tensor<4xf32> -> tensor<2x2xf32>
  // expected-error @+1 {{'train.commit' op (S1) commits @w with type 'tensor<2x2xf32>', it has 'tensor<4xf32>'}}
  train.commit states [@w] (%v : tensor<2x2xf32>)
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<4xf32> {train.reads = @w}) {
  // expected-error @+1 {{'train.commit' op (S2) commits @w, which this step does not own}}
  train.commit states [@w] (%w : tensor<4xf32>)
}

// -----

train.state @w : tensor<f32> kind "parameter" init <constant, 0.0, 0.0>
train.step @s kind "train" (%w: tensor<f32> {train.reads = @w}) {
  // expected-error @+1 {{'train.gradient' op (S3) takes gradients of owned states only}}
  %g = train.gradient %w of %w : tensor<f32>
  train.commit
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.step' op (S4) state @w is bound twice, by arguments 0 and 1}}
train.step @s kind "train" (%w: tensor<4xf32> {train.reads = @w}, %v: tensor<4xf32> {train.owns = @w}) {
  train.commit states [@w] (%v : tensor<4xf32>)
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.step' op (S5) a step of kind "eval" owns nothing, owns @w}}
train.step @s kind "eval" (%w: tensor<4xf32> {train.owns = @w}) {
  train.commit states [@w] (%w : tensor<4xf32>)
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 0 must be bound by exactly one of train.reads, train.owns, train.data and train.clock, is by 0}}
train.step @s kind "eval" (%x: tensor<4xf32>) {
  train.commit
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 1 has 5 rows, the batch has 4}}
train.step @s kind "eval" (%x: tensor<4xf32> {train.data = "x"}, %y: tensor<5xf32> {train.data = "y"}) {
  train.commit
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 0 binds @w, which is no train.state}}
train.step @s kind "eval" (%w: tensor<4xf32> {train.reads = @w}) {
  train.commit
}

// -----

train.state @w : tensor<4xf32> kind "parameter" init <constant, 0.0, 0.0>
// expected-error @+1 {{'train.step' op (S6) argument 0 has type 'tensor<5xf32>', @w has 'tensor<4xf32>'}}
train.step @s kind "eval" (%w: tensor<5xf32> {train.reads = @w}) {
  train.commit
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 0: train.clock "step" binds an index}}
train.step @s kind "eval" (%x: tensor<4xf32> {train.clock = "step"}) {
  train.commit
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 0: train.clock must be "step", "last", "count", "seed", "draw", "epoch" or "ids"}}
train.step @s kind "eval" (%x: index {train.clock = "now"}) {
  train.commit
}

// -----

// expected-error @+1 {{'train.step' op (S6) argument 0: train.perm must be a permutation of the axes of one example}}
train.step @s kind "eval" (%x: tensor<4x2x3xf32> {train.data = "x", train.perm = array<i64: 0, 1, 2>}) {
  train.commit
}

// -----

train.step @s kind "eval" (%n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  // expected-error @+1 {{'train.commit' op (C1) has 2 names for 1 outputs}}
  train.commit outputs ["loss", "accuracy"] (%y : tensor<f32>)
}
