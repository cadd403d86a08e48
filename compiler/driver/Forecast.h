//===- Forecast.h - `sinter check --forecast` --------------------------------------------------===//
#pragma once

#include "compiler/driver/Compilation.h"

namespace sinter::driver {

/// Prints, for each train block's first stage and layer by layer, the standard deviation of signal and gradient at initialisation: what
/// theory expects (compiler/reference/MeanField.h) beside what one batch shows, evaluated op by op. `module` is on the model floor.
ExitCode runForecast(mlir::ModuleOp module);

} // namespace sinter::driver
