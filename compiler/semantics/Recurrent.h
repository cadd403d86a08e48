//===- Recurrent.h - rnn, lstm and gru ------------------------------------------------------------===//
#pragma once

#include "compiler/semantics/Layers.h"

namespace sinter::semantics {

/// What the three take.
extern const char *const recurrentArguments;

Value recurrent(LayerCall &call);

} // namespace sinter::semantics
