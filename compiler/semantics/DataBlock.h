//===- DataBlock.h - one data block on its way to a Data --------------------------------------===//
// Private to this folder. DataChecker.cpp goes through fields and parts, DataSources.cpp knows the sources, DataLoading.cpp reads the
// arithmetic on them, DataSelection.cpp what is split, kept and augmented, DataFiles.cpp looks into files that are there already.
#pragma once

#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/FileHeaders.h"

#include <map>
#include <string>
#include <vector>

namespace sinter::semantics {

/// A source of the language.
struct SourceEntry {
  Signature signature;
  std::vector<std::string> parts; ///< what it gives, each to a field of this name; none: one field
};

/// Null where there is none of this name.
const SourceEntry *findSource(const std::string &name);
/// The call of a source within loading arithmetic, or null.
const syntax::CallExpr *sourceCall(const syntax::Expr &expr);

/// Checks one data block.
class DataChecker {
public:
  DataChecker(Session &session, const syntax::DataDeclaration &declaration)
      : session(session), engine(session.engine), declaration(declaration), evaluator(session) {}

  CheckedData run();

private:
  //===-- DataChecker.cpp
  void declareFields();
  void roundFields();
  void checkPart(const syntax::PartStatement &part);
  void checkFill(const syntax::Fill &written, std::vector<Fill> &fills,
                 std::map<std::string, Span> &filled);
  void fillSynthetic(const syntax::Fill &written, const syntax::CallExpr &call, Fill fill,
                     std::vector<Fill> &fills, std::map<std::string, Span> &filled);
  void fillOwnFields(const syntax::Fill &written, const syntax::CallExpr &call,
                     const SourceEntry &entry, std::vector<Fill> &fills,
                     std::map<std::string, Span> &filled);
  const Field *fieldToFill(const syntax::Name &name, std::map<std::string, Span> &filled);
  const Field *field(const std::string &name) const;
  void checkAcrossParts();

  //===-- DataSelection.cpp
  void checkSplit(const syntax::SplitStatement &split);
  void checkKeep(const syntax::KeepStatement &keep);
  void checkTake(const syntax::TakeStatement &take);
  void checkAugment(const syntax::AugmentStatement &augment);
  /// A condition or a number over fields; `condition` says which one it came to be. None after an error.
  std::optional<Keep> keepExpression(const syntax::Expr &expr, bool &condition);
  std::optional<Keep> keepOperand(const syntax::Expr &expr, bool condition, const std::string &who);
  bool namesField(const syntax::Expr &expr) const;
  std::optional<Augment::Step> augmentStep(const syntax::Expr &expr);
  bool fitsAugment(const Augment::Step &step, const Field &field);

  //===-- DataSources.cpp
  bool loadSource(const syntax::CallExpr &call, const Field *target, Fill &fill);
  bool loadColumns(const BoundArguments &bound, Source &source);
  bool loadFiles(const BoundArguments &bound, const char *argument, Source &source);
  bool loadPart(const SourceEntry &entry, const Field &target, const BoundArguments &bound,
                Source &source);
  bool refuseType(const Field &target, const Source &source, const std::string &wanted,
                  const std::string &right);

  //===-- DataLoading.cpp
  bool load(const syntax::Expr &expr, const Field &field, Fill &fill);
  bool loadStep(const syntax::Expr &step, const Field &field, Fill &fill);
  bool standardize(Span place, const Field &field, Fill &fill);
  bool normalize(const syntax::Arguments &arguments, size_t skip, Span name, const Field &field,
                 Fill &fill);
  bool loadChain(const syntax::BinaryExpr &chain, const Field &field, Fill &fill);
  bool addOperation(syntax::BinaryOp op, double number, bool numberFirst, Span place,
                    const Field &field, Fill &fill);
  bool containsSource(const syntax::Expr &expr) const;
  bool realsOnly(const char *step, Span place, const Field &field);

  //===-- DataFiles.cpp
  void checkHeaders(const std::vector<Fill> &fills);
  /// How many records the file has; none where that is not known here.
  std::optional<int64_t> checkFile(const Fill &fill, const Field &field);
  std::optional<int64_t> checkIdx(const Fill &fill, const Field &field);
  void checkCsv(const Fill &fill, const Field &field);
  void checkRecordShape(const Fill &fill, const Field &field, const std::vector<int64_t> &dims);
  std::optional<int64_t> checkArray(const Fill &fill, const Field &field);
  void checkTexts();
  void checkImages();
  void reportHeader(const FileHeader &header, const Source &source);

  Session &session;
  syntax::Engine &engine;
  const syntax::DataDeclaration &declaration;
  Evaluator evaluator;
  CheckedData checked;
  Span take; ///< the first `take`
};

} // namespace sinter::semantics
