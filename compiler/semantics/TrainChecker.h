//===- TrainChecker.h - train declarations ---------------------------------------------------------------===//
#pragma once

#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/Loads.h"

#include <map>
#include <optional>

namespace sinter::semantics {

/// `earlier`: the blocks that run before this one and were right.
std::optional<Train> checkTrain(Session &session, const syntax::TrainDeclaration &declaration,
                                const std::map<std::string, CheckedData> &datas,
                                const TrainsByName &earlier);

} // namespace sinter::semantics
