// What shapes a training step: each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -o /dev/null

model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<3xf32>) -> tensor<3xf32> { model.return %x : tensor<3xf32> }
  model.stage @main batch 2 steps 1 attributes {recompute = ["a"]} {
    %e = model.constant 1.0 : tensor<f32>
    model.objective %e : tensor<f32>
    model.penalty %e : tensor<f32>
    model.constrain "nonnegative" 0.0 over [@w]
    // expected-error @+1 {{'model.constrain' op (C1) kind is max_norm or nonnegative, is "unit_norm"}}
    model.constrain "unit_norm" 1.0 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<3xf32>) -> tensor<3xf32> { model.return %x : tensor<3xf32> }
  model.stage @main batch 2 steps 1 {
    %e = model.constant 1.0 : tensor<f32>
    model.objective %e : tensor<f32>
    // expected-error @+1 {{'model.constrain' op (C1) limit is above 0}}
    model.constrain "max_norm" 0.0 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<3xf32>) -> tensor<3xf32> { model.return %x : tensor<3xf32> }
  model.stage @main batch 2 steps 1 {
    %e = model.constant 1.0 : tensor<f32>
    model.objective %e : tensor<f32>
    // expected-error @+1 {{'model.constrain' op (C2) names @w, which is no model.param}}
    model.constrain "max_norm" 1.0 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<3xf32>}, {name = "y", type = tensor<i32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<3xf32>) -> tensor<3xf32> { model.return %x : tensor<3xf32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<3xf32>
    %y = model.field "y" : tensor<i32>
    // expected-error @+1 {{'model.top_k' op (C2) 1 ≤ k ≤ 3, is 4}}
    %e = model.top_k %x, %y {axis = 0 : i64, k = 4 : i64} : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
    model.objective %e : tensor<f32>
  }
}
