//===- TrainChecker.h - train declarations ---------------------------------------------------------------===//
#pragma once

#include "compiler/semantics/DataChecker.h"

#include <map>
#include <optional>

namespace sinter::semantics {

std::optional<Train> checkTrain(Session &session, const syntax::TrainDeclaration &declaration,
                                const std::map<std::string, CheckedData> &datas);

} // namespace sinter::semantics
