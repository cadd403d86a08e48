// What stands around a graph is verified: data, blocks, stages and their names.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'model.data' op (C3) has no train part}}
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}] parts {test = []}

// -----

// expected-error @+1 {{(C1) has two fields called "x"}}
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}, {name = "x", type = tensor<4xf32>}] parts {train = []}

// -----

// expected-error @+1 {{(C2) fills "y", which is no field}}
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}]
  parts {train = [{fields = ["y"], kind = "idx", file = "f", ops = []}]}

// -----

// expected-error @+1 {{(C4) no loading op is called "halve"}}
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}]
  parts {train = [{fields = ["x"], kind = "idx", file = "f", ops = [{kind = "halve"}]}]}

// -----

// expected-error @+1 {{(C5) names "x", which is no field of one number}}
model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}] parts {train = []}
  keep {op = "field", field = "x"}

// -----

// expected-error @+1 {{(C5) "not" has 1 of `args`}}
model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
  keep {op = "not", args = [{op = "field", field = "x"}, {op = "field", field = "x"}]}

// -----

// expected-error @+1 {{(C5) nothing is kept by "xor"}}
model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []} keep {op = "xor", args = []}

// -----

// expected-error @+1 {{(C6) no augmentation is {kind = "blur", value = 1.000000e+00 : f64}}}
model.data @d seed 0 fields [{name = "x", type = tensor<4x4xf32>}] parts {train = []}
  augment [{fields = ["x"], steps = [{kind = "blur", value = 1.0 : f64}]}]

// -----

// expected-error @+1 {{'model.train' op (C1) trains on @nothing, which is no model.data}}
model.train @t of @Net on @nothing seed 0 {
  model.net @Net(%x: tensor<4xf32>) -> tensor<4xf32> { model.return %x : tensor<4xf32> }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}] parts {train = []}
// expected-error @+1 {{'model.train' op (C2) trains @Net, which is no model.net of its body}}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<4xf32> init #train.init<constant, 0.0, 0.0> role "weight"
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<4xf32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'model.read' op (C1) reads @w, which is no parameter or buffer}}
    %w = model.read @w : tensor<4xf32>
    model.return %w : tensor<4xf32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<f32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 frozen ["w"] {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.optimize' op (C3) updates @w, which is frozen}}
    model.optimize "sgd" rate 0.1 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  // expected-error @+1 {{'model.stage' op (C1) the length is `epochs` or `steps`, exactly one}}
  model.stage @main batch 2 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  // expected-error @+1 {{'model.stage' op (C2) has one model.objective, has 0}}
  model.stage @main batch 2 steps 1 {
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    // expected-error @+1 {{'model.field' op (C1) @d has no field "x" of type 'tensor<2xf32>'}}
    %x = model.field "x" : tensor<2xf32>
    %s = model.sum %x {axes = array<i64: 0>, keep = false} : (tensor<2xf32>) -> tensor<f32>
    model.objective %s : tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.call' op (C1) calls @Other, which is no model.net of this block}}
    %y = model.call @Other(%x) : (tensor<f32>) -> tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.call' op (C1) @Net has type '(tensor<f32>) -> tensor<f32>'}}
    %y:2 = model.call @Net(%x) : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.clip' op (C1) kind is norm or value, is "both"}}
    model.clip "both" 1.0
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.clip' op (C2) limit is positive}}
    model.clip "norm" 0.0
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.regularize' op (C1) names @w, which is no model.param}}
    model.regularize l1 0.0 l2 1.0 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @v : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.copy' op (C1) copies 1 states to 2}}
    model.copy [@w] to [@w, @v]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @v : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.copy' op (C1) names @u, which is no parameter or buffer}}
    model.copy [@u] to [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @v : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.copy' op (C1) copies @w to @v, whose type is another}}
    model.copy [@w] to [@v]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @v : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.average' op (C1) averages into @v, which is `of` nothing}}
    model.average [@v] decay 0.9 every 1
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.param @w : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @v : tensor<3xf32> init #train.init<constant, 0.0, 0.0> role "weight"
  model.param @"Mean:w" : tensor<2xf32> init #train.init<constant, 0.0, 0.0> role "weight" {of = @w, teacher = "Mean"}
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.average' op (C2) decay is from 0 to below 1, and every is positive}}
    model.average [@"Mean:w"] decay 1.0 every 1
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.schedule' op no schedule is called "square"}}
    %s = model.schedule "square" 1.0 : tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.optimize' op (C1) no optimizer is called "newton"}}
    model.optimize "newton" rate 0.1 over []
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.optimize' op (C1) adam has beta1 and beta2}}
    model.optimize "adam" rate 0.1 over []
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  model.stage @main batch 2 steps 1 {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
    // expected-error @+1 {{'model.optimize' op (C2) names @w, which is no model.param}}
    model.optimize "sgd" rate 0.1 over [@w]
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<2xf32> {
    // expected-error @+1 {{'model.return' op (C1) gives 'tensor<f32>' where the net gives 'tensor<2xf32>'}}
    model.return %x : tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  model.net @Net(%x: tensor<f32>) -> tensor<f32> { model.return %x : tensor<f32> }
  // expected-error @+1 {{'model.stage' op (C4) freezes "w", which is no parameter or buffer}}
  model.stage @main batch 2 steps 1 frozen ["w"] {
    %x = model.field "x" : tensor<f32>
    model.objective %x : tensor<f32>
  }
}

// -----

model.data @d seed 0 fields [{name = "x", type = tensor<f32>}] parts {train = []}
model.train @t of @Net on @d seed 0 {
  // expected-error @+1 {{argument 0: 'model.classes' must be a name (model.name) or a positive number (model.classes)}}
  model.net @Net(%x: tensor<i32> {model.classes = 0 : i64}) -> tensor<i32> { model.return %x : tensor<i32> }
}
