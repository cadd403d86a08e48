// Update ops beyond sgd and adam, and the axis of a number: each constraint, by its number.
// RUN: sinter-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect -o /dev/null

%w, %r = "test.values"() : () -> (tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.rmsprop' op (C1) 0 ≤ alpha < 1, is 1}}
%y:2 = train.rmsprop %w, %w states %w rate %r {alpha = 1.0, eps = 1.0e-8} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)

// -----

%w, %r = "test.values"() : () -> (tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.rmsprop' op (C2) has 3 states and as many results for them, has 1 and 1}}
%y:2 = train.rmsprop %w, %w states %w rate %r {alpha = 0.9, eps = 1.0e-8, momentum = 0.9, centered} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)

// -----

%w, %g, %r = "test.values"() : () -> (tensor<4xf32>, tensor<5xf32>, tensor<f32>)
// expected-error @+1 {{'train.adagrad' op (U1) w, its gradient, its states and all results must have one type}}
%y:2 = train.adagrad %w, %g, %w rate %r {eps = 1.0e-8} : (tensor<4xf32>, tensor<5xf32>, tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)

// -----

%w, %r = "test.values"() : () -> (tensor<4xf32>, tensor<f32>)
// expected-error @+1 {{'train.lion' op (C1) 0 ≤ beta2 < 1, is -1}}
%y:2 = train.lion %w, %w, %w rate %r {beta1 = 0.9, beta2 = -1.0} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)

// -----

// expected-error @+1 {{'train.number' op (C1) axis 2 is none of y's 2}}
%n = train.number along 2 : tensor<4x5xi32>
