// A stage and the steps that it names: each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -o /dev/null

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @update kind "update" (%n: index {train.clock = "count"}) {
  train.commit
}
train.run @Net on @d seed 7 {
  train.stage @main step @train update @update eval @eval batch 4 steps 100 drop_last {accumulate = 2 : i64}
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C4) `update` stands exactly where accumulate is above 1}}
  train.stage @main step @train eval @eval batch 4 steps 100 {accumulate = 2 : i64}
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C1) length is `epochs` or `steps`, exactly one}}
  train.stage @main step @train eval @eval batch 4
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C1) length is `epochs` or `steps`, exactly one}}
  train.stage @main step @train eval @eval batch 4 epochs 1.0 steps 3
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C2) @eval must be a train.step of kind "train"}}
  train.stage @main step @eval eval @eval batch 4 epochs 1.0
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C2) @none must be a train.step of kind "eval"}}
  train.stage @main step @train eval @none batch 4 epochs 1.0
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C2) @train is a step of 4 examples, the batch has 8}}
  train.stage @main step @train eval @eval batch 8 epochs 1.0
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C3) the outputs of @train must be ["loss", "accuracy"], are ["loss"]}}
  train.stage @main step @train eval @eval batch 4 epochs 1.0 reports ["accuracy"]
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C3) `finish` has 1 entries for 0 reports}}
  train.stage @main step @train eval @eval batch 4 epochs 1.0 {finish = [""]}
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op (C3) `ascending` has 1 entries for 0 reports}}
  train.stage @main step @train eval @eval batch 4 epochs 1.0 {ascending = array<i1: true>}
}

// -----

model.data @d seed 3 fields [{name = "x", type = tensor<2xf32>}] parts {train = [{fields = ["x"], file = "", kind = "synthetic", count = 64 : i64, ops = [], place = ""}]}
train.step @train kind "train" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.step @eval kind "eval" (%x: tensor<4x2xf32> {train.data = "x"}, %n: index {train.clock = "count"}) {
  %y = train.count %n times 1.0 : tensor<f32>
  train.commit outputs ["loss"] (%y : tensor<f32>)
}
train.run @Net on @d seed 7 {
  // expected-error @+1 {{'train.stage' op batch must be positive, is 0}}
  train.stage @main step @train eval @eval batch 0 epochs 1.0
}
