//===- DescribeProgram.cpp - the constant that the runtime starts from ----------------------------===//
// Collects the planned steps and the functions of their tasks into `sinter_program` (runtime/Abi.h): a description as text and a
// table of functions. The ops that said the same are erased; from here on the module is code and data alone.

#include "compiler/codegen/Description.h"
#include "compiler/codegen/Passes.h"
#include "compiler/codegen/StackUse.h"
#include "dialects/kernel/KernelOps.h"
#include "dialects/model/ModelOps.h"
#include "dialects/train/TrainOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "runtime/Abi.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

std::vector<int64_t> integers(DictionaryAttr dictionary, StringRef key) {
  if (auto array = dictionary.getAs<DenseI64ArrayAttr>(key))
    return array.asArrayRef().vec();
  return {};
}
std::string text(DictionaryAttr dictionary, StringRef key) {
  auto attribute = dictionary.getAs<StringAttr>(key);
  return attribute ? attribute.str() : std::string();
}
uint64_t offsetOf(DictionaryAttr dictionary) {
  auto attribute = dictionary.getAs<IntegerAttr>("offset");
  return attribute ? static_cast<uint64_t>(attribute.getInt()) : 0;
}

struct DescribeProgram : PassWrapper<DescribeProgram, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DescribeProgram)

  DescribeProgram() = default;
  DescribeProgram(const DescribeProgram &other) : PassWrapper(other) {}
  explicit DescribeProgram(StringRef name) { cpu = name.str(); }

  StringRef getArgument() const override { return "describe-program"; }
  StringRef getDescription() const override { return "Write the constant sinter_program"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect>();
  }

  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("the CPU that loops were written for")};

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const SymbolTable symbols(module);
    StackUse stack(symbols);
    llvm::MapVector<StringAttr, int64_t> functions; // task → place in the table
    ProgramLayout program;
    program.cpu = cpu;
    for (kernel::StepOp step : module.getOps<kernel::StepOp>()) {
      FailureOr<StepLayout> layout = layOut(step, symbols, functions);
      if (failed(layout))
        return signalPassFailure();
      program.arenaBytes = std::max(program.arenaBytes, static_cast<uint64_t>(step.getArena()));
      program.steps.push_back(std::move(*layout));
    }
    for (const auto &[name, place] : functions)
      program.stackBytes =
          std::max(program.stackBytes, stack.bytesOf(symbols.lookup<LLVM::LLVMFuncOp>(name)));
    if (failed(checkStages(module, program)))
      return signalPassFailure();
    writeConstant(module, describeProgram(module, program), functions);

    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (isa<kernel::StepOp, train::RunOp, train::StateOp, model::DataOp>(op))
        op.erase();
  }

private:
  FailureOr<StepLayout> layOut(kernel::StepOp step, const SymbolTable &symbols,
                               llvm::MapVector<StringAttr, int64_t> &functions) {
    StepLayout layout;
    layout.name = step.getSymName().str();
    layout.batch = static_cast<int64_t>(step.getBatch());
    for (auto field : step.getFields().getAsRange<DictionaryAttr>())
      layout.fields.push_back({text(field, "name"), offsetOf(field), integers(field, "perm")});
    if (auto ids = step.getIds())
      layout.ids = static_cast<uint64_t>(*ids);
    for (auto output : step.getOutputs().getAsRange<DictionaryAttr>())
      layout.outputs.push_back({text(output, "name"), offsetOf(output)});
    for (auto result : step.getResults_().getAsRange<DictionaryAttr>()) {
      std::vector<int64_t> example = integers(result, "shape");
      example.erase(example.begin()); // the batch
      layout.results.push_back({text(result, "name"), offsetOf(result), std::move(example)});
    }
    for (auto task : step.getTasks().getAsRange<FlatSymbolRefAttr>()) {
      auto function = symbols.lookup<LLVM::LLVMFuncOp>(task.getAttr());
      if (!function)
        return step.emitOpError("lists ") << task << ", which no function stands for";
      auto number = [&](StringRef key) {
        return cast<IntegerAttr>(function->getAttr(key)).getInt();
      };
      const auto [place, isNew] =
          functions.insert({task.getAttr(), static_cast<int64_t>(functions.size())});
      (void)isNew;
      TaskEntry entry;
      entry.function = static_cast<uint32_t>(place->second);
      entry.shares = number("kernel.shares");
      entry.wait = cast<BoolAttr>(function->getAttr("kernel.wait")).getValue();
      entry.name = task.getValue().str();
      entry.place = describePlace(function.getLoc());
      entry.flops = static_cast<double>(number("kernel.flops"));
      entry.bytes = static_cast<double>(number("kernel.bytes"));
      layout.tasks.push_back(std::move(entry));
    }
    return layout;
  }

  /// Every step that a stage names was planned.
  static LogicalResult checkStages(ModuleOp module, const ProgramLayout &program) {
    for (train::RunOp run : module.getOps<train::RunOp>())
      for (train::StageOp stage : run.getBody().getOps<train::StageOp>())
        for (std::optional<StringRef> name : {std::optional(stage.getStep()), stage.getUpdate(),
                                              std::optional(stage.getEval()), stage.getPredict()})
          if (name && llvm::none_of(program.steps,
                                    [&](const StepLayout &step) { return step.name == *name; }))
            return stage.emitOpError("names the step @") << *name << ", which was not planned";
    return success();
  }

  static void writeConstant(ModuleOp module, StringRef description,
                            const llvm::MapVector<StringAttr, int64_t> &functions) {
    const Location location = module.getLoc();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto pointer = LLVM::LLVMPointerType::get(module.getContext());
    Type i8 = builder.getI8Type(), i32 = builder.getI32Type(), i64 = builder.getI64Type();

    auto text =
        LLVM::GlobalOp::create(builder, location, LLVM::LLVMArrayType::get(i8, description.size()),
                               /*isConstant=*/true, LLVM::Linkage::Internal, "sinter_description",
                               builder.getStringAttr(description));
    auto tableType = LLVM::LLVMArrayType::get(pointer, functions.size());
    auto table = LLVM::GlobalOp::create(builder, location, tableType, /*isConstant=*/true,
                                        LLVM::Linkage::Internal, "sinter_functions", Attribute());
    fill(builder, table, [&](OpBuilder &inner) {
      Value value = LLVM::UndefOp::create(inner, location, tableType);
      for (auto [name, place] : functions) {
        Value address = LLVM::AddressOfOp::create(inner, location, pointer, name.getValue());
        value = LLVM::InsertValueOp::create(inner, location, value, address, place);
      }
      return value;
    });

    auto programType = LLVM::LLVMStructType::getLiteral(module.getContext(),
                                                        {i32, i32, pointer, i64, pointer, i64});
    auto program = LLVM::GlobalOp::create(builder, location, programType, /*isConstant=*/true,
                                          LLVM::Linkage::External, "sinter_program", Attribute());
    fill(builder, program, [&](OpBuilder &inner) {
      auto number = [&](Type type, int64_t value) -> Value {
        return LLVM::ConstantOp::create(inner, location, type, inner.getIntegerAttr(type, value));
      };
      const Value members[] = {number(i32, runtime::abiVersion),
                               number(i32, 0),
                               LLVM::AddressOfOp::create(inner, location, text),
                               number(i64, static_cast<int64_t>(description.size())),
                               LLVM::AddressOfOp::create(inner, location, table),
                               number(i64, static_cast<int64_t>(functions.size()))};
      Value value = LLVM::UndefOp::create(inner, location, programType);
      for (auto [index, member] : llvm::enumerate(members))
        value = LLVM::InsertValueOp::create(inner, location, value, member, index);
      return value;
    });
  }

  static void fill(OpBuilder &builder, LLVM::GlobalOp global,
                   llvm::function_ref<Value(OpBuilder &)> value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&global.getInitializerRegion());
    LLVM::ReturnOp::create(builder, global.getLoc(), value(builder));
  }
};

} // namespace

std::unique_ptr<Pass> createDescribeProgramPass(const Target &target) {
  return std::make_unique<DescribeProgram>(target.cpu);
}
void registerDescribeProgramPass() { PassRegistration<DescribeProgram>(); }

} // namespace sinter::codegen
