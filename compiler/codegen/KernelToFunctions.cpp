//===- KernelToFunctions.cpp - planned tasks to functions of loops --------------------------------===//
// Each kernel.task becomes a function (share, arena, state) with its loops written out, beside the micro-kernels that these call. Tasks
// that are equal but for their addresses share one function (share, addresses…), and their own only calls it. The kernel.step ops, which
// list tasks, stay for describe-program.

#include "compiler/codegen/Body.h"
#include "compiler/codegen/EqualTasks.h"
#include "compiler/codegen/Passes.h"
#include "compiler/codegen/Tasks.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir;

namespace sinter::codegen {
namespace {

struct KernelToFunctions : PassWrapper<KernelToFunctions, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KernelToFunctions)

  KernelToFunctions() = default;
  KernelToFunctions(const KernelToFunctions &other) : PassWrapper(other), target(other.target) {
    copyOptionValuesFrom(&other);
  }
  explicit KernelToFunctions(Target target) : target(std::move(target)) {}

  StringRef getArgument() const override { return "kernel-to-functions"; }
  StringRef getDescription() const override { return "Write the loops of planned kernel tasks"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                    scf::SCFDialect, vector::VectorDialect>();
  }

  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("the CPU to write loops for"),
                          llvm::cl::init("host")};
  Option<bool> apart{*this, "apart", llvm::cl::desc("write loops for each task, equal or not"),
                     llvm::cl::init(false)};
  Statistic numShared{this, "shared", "functions that several tasks call"};
  Statistic numCalls{this, "calls", "tasks that call such a function"};
  Target target;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(nameTarget(target, cpu, module)))
      return signalPassFailure();
    sharedFunctions = 0;
    MicroKernels microKernels(module, target);
    OpBuilder builder(module.getContext());
    std::map<std::vector<uintptr_t>, Group> groups;
    SmallVector<std::pair<kernel::TaskOp, TaskForm>> tasks;
    for (kernel::TaskOp task : module.getOps<kernel::TaskOp>()) {
      tasks.emplace_back(task, formOf(task));
      groups[tasks.back().second.key].places.push_back(task.getLoc());
    }
    for (auto &[task, form] : tasks) {
      builder.setInsertionPoint(task);
      if (failed(lower(task, form, groups[form.key], builder, microKernels)))
        return signalPassFailure();
    }
    for (auto &[task, form] : tasks)
      task.erase();
  }

private:
  /// Tasks with one key.
  struct Group {
    SmallVector<Location> places;
    func::FuncOp function; ///< that all of them call, once it is written
    int64_t shares = 1;
  };

  unsigned sharedFunctions = 0;

  static func::FuncOp makeFunction(OpBuilder &builder, Location location, StringRef name,
                                   unsigned pointers) {
    SmallVector<Type> types{builder.getI64Type()};
    types.append(pointers, LLVM::LLVMPointerType::get(builder.getContext()));
    auto function =
        func::FuncOp::create(builder, location, name, builder.getFunctionType(types, {}));
    function.setPrivate();
    function->setAttr("llvm.linkage",
                      LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
    builder.setInsertionPointToStart(function.addEntryBlock());
    return function;
  }

  LogicalResult lower(kernel::TaskOp task, const TaskForm &form, Group &group, OpBuilder &builder,
                      MicroKernels &microKernels) {
    const bool isShared = group.places.size() > 1 && !apart;
    if (isShared && !group.function)
      if (failed(writeShared(task, form, group, builder, microKernels)))
        return failure();
    auto function = makeFunction(builder, task.getLoc(), task.getSymName(), 2);
    function->setAttr("kernel.wait", builder.getBoolAttr(task.getWait()));
    function->setAttr("kernel.flops", builder.getI64IntegerAttr(task.getFlops()));
    function->setAttr("kernel.bytes", builder.getI64IntegerAttr(task.getBytes()));
    if (isShared) {
      Emitter emit(builder, task.getLoc());
      SmallVector<Value> arguments{function.getArgument(0)};
      for (const TaskAddress &address : form.addresses)
        arguments.push_back(emit.advance(function.getArgument(1 + address.argument), address.offset,
                                         builder.getI8Type()));
      func::CallOp::create(builder, task.getLoc(), group.function, arguments);
      ++numCalls;
    } else {
      Block &body = task.getBody().front();
      IRMapping mapping;
      for (unsigned i = 0; i < body.getNumArguments(); ++i)
        mapping.map(body.getArgument(i), function.getArgument(1 + i));
      const auto shares = lowerBlock(body, builder, mapping, function.getArgument(0), microKernels,
                                     /*isStep=*/false);
      if (failed(shares))
        return failure();
      group.shares = *shares;
    }
    func::ReturnOp::create(builder, task.getLoc());
    function->setAttr("kernel.shares", builder.getI64IntegerAttr(group.shares));
    return success();
  }

  /// The function that the tasks of a group call: `task`, one of them, with its addresses as arguments.
  LogicalResult writeShared(kernel::TaskOp task, const TaskForm &form, Group &group,
                            OpBuilder &builder, MicroKernels &microKernels) {
    OpBuilder::InsertionGuard restore(builder);
    auto function = makeFunction(builder, FusedLoc::get(builder.getContext(), group.places),
                                 "shared." + std::to_string(sharedFunctions++),
                                 static_cast<unsigned>(form.addresses.size()));
    // Inlined into its callers it would be as many copies again.
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    IRMapping mapping;
    for (auto [view, address] : form.views)
      mapping.map(memref::ViewOp(view).getResult(), function.getArgument(1 + address));
    const auto shares = lowerBlock(task.getBody().front(), builder, mapping,
                                   function.getArgument(0), microKernels, /*isStep=*/false);
    if (failed(shares))
      return failure();
    func::ReturnOp::create(builder, task.getLoc());
    group.function = function;
    group.shares = *shares;
    ++numShared;
    return success();
  }

  /// The ops of a task, or of one step of a scan, which runs whole. Returns into how many shares the task is cut.
  FailureOr<int64_t> lowerBlock(Block &body, OpBuilder &builder, IRMapping &mapping, Value share,
                                MicroKernels &microKernels, bool isStep) {
    int64_t shares = 1;
    for (Operation &op : body) {
      Emitter emit(builder, op.getLoc());
      if (auto view = dyn_cast<memref::ViewOp>(op)) {
        if (mapping.contains(view.getResult()))
          continue;
        APInt offset;
        if (!matchPattern(view.getByteShift(), m_ConstantInt(&offset)))
          return view.emitOpError("needs a constant offset here");
        mapping.map(view.getResult(), emit.advance(mapping.lookup(view.getSource()),
                                                   offset.getSExtValue(), builder.getI8Type()));
      } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
        mapping.map(load.getResult(), lowerLoad(load, emit, mapping));
      } else if (auto sweep = dyn_cast<kernel::SweepOp>(op)) {
        shares = sweep.getShares();
        if (failed(emitSweep(sweep, scopeOf(&op, emit, share, mapping))))
          return failure();
      } else if (auto attend = dyn_cast<kernel::AttendOp>(op)) {
        shares = attend.getShares();
        emitAttend(attend, scopeOf(&op, emit, share, mapping), target, microKernels);
      } else if (auto winograd = dyn_cast<kernel::WinogradOp>(op)) {
        shares = winograd.getShares();
        emitWinograd(winograd, scopeOf(&op, emit, share, mapping), target, microKernels);
      } else if (auto gather = dyn_cast<kernel::GatherOp>(op)) {
        shares = gather.getShares();
        emitGather(gather, scopeOf(&op, emit, share, mapping));
      } else if (auto scatter = dyn_cast<kernel::ScatterAddOp>(op)) {
        shares = scatter.getShares();
        emitScatterAdd(scatter, scopeOf(&op, emit, share, mapping));
      } else if (auto contract = dyn_cast<kernel::ContractOp>(op)) {
        auto count = emitContract(contract, scopeOf(&op, emit, share, mapping), target,
                                  microKernels, /*whole=*/isStep);
        if (failed(count))
          return failure();
        shares = *count;
      } else if (auto scan = dyn_cast<kernel::ScanOp>(op)) {
        shares = scan.getShares();
        if (failed(lowerScan(scan, emit, share, mapping, microKernels)))
          return failure();
      } else if (!isa<kernel::YieldOp>(op)) {
        builder.clone(op, mapping);
      }
    }
    return shares;
  }

  /// All steps of one share: its part of every operand, and where that stands at each step.
  LogicalResult lowerScan(kernel::ScanOp scan, Emitter &emit, Value share, const IRMapping &outside,
                          MicroKernels &microKernels) {
    struct Part {
      Value pointer;
      Type element;
      int64_t elements, ofStep; ///< of the share; between two steps
    };
    SmallVector<Part> parts;
    for (auto [at, operand] : llvm::enumerate(scan.getOperands())) {
      auto type = cast<ShapedType>(scan.getBody().getArgument(at).getType());
      Part part{outside.lookup(operand), type.getElementType(), type.getNumElements(), 0};
      if (scan.isCut(at))
        part.pointer =
            emit.advance(part.pointer, emit.multiply(share, part.elements), part.element);
      if (scan.walks(at))
        part.ofStep = llvm::product_of(type.getShape().drop_front(2));
      parts.push_back(part);
    }
    const unsigned firstOutput = scan.getNumOperands() - scan.getOutputs().size();
    for (unsigned i = 0; i < scan.getNumCarried(); ++i)
      copy(parts[scan.getNumSequences() + i].pointer, parts[firstOutput + i].pointer,
           parts[firstOutput + i].element, parts[firstOutput + i].elements, emit);

    LogicalResult result = success();
    const auto steps = static_cast<int64_t>(scan.getSteps());
    emit.loop(0, steps, 1, [&](Value i) {
      Value step = scan.getBackwards() ? emit.add(emit.multiply(i, -1), steps - 1) : i;
      IRMapping mapping;
      for (auto [part, argument] : llvm::zip_equal(parts, scan.getBody().getArguments()))
        mapping.map(argument, part.ofStep == 0
                                  ? part.pointer
                                  : emit.advance(part.pointer, emit.multiply(step, part.ofStep),
                                                 part.element));
      Value whole = emit.constant(0);
      if (failed(lowerBlock(scan.getBody().front(), emit.builder, mapping, whole, microKernels,
                            /*isStep=*/true)))
        result = failure();
    });
    return result;
  }

  static void copy(Value from, Value to, Type element, int64_t count, Emitter &emit) {
    const int64_t whole = count / lanes * lanes;
    emit.loop(0, whole, lanes, [&](Value i) {
      emit.storeLanes(emit.loadLanes(emit.advance(from, i, element), element),
                      emit.advance(to, i, element));
    });
    if (whole == count)
      return;
    Value there = emit.firstLanes(count - whole);
    emit.storeLanes(emit.loadLanes(emit.advance(from, whole, element), element, there),
                    emit.advance(to, whole, element), there);
  }

  /// A clock value or the like: an element at constant indices.
  static Value lowerLoad(memref::LoadOp load, Emitter &emit, IRMapping &mapping) {
    int64_t offset = 0;
    for (auto [index, extent] :
         llvm::zip_equal(load.getIndices(), load.getMemRefType().getShape())) {
      APInt value;
      matchPattern(index, m_ConstantInt(&value));
      offset = offset * extent + value.getSExtValue();
    }
    const Type element = load.getMemRefType().getElementType();
    return emit.load(emit.advance(mapping.lookup(load.getMemRef()), offset, element), element);
  }

  static TaskScope scopeOf(Operation *op, Emitter &emit, Value share, const IRMapping &mapping) {
    TaskScope scope{emit, share, {}, mapping};
    for (Value operand : op->getOperands())
      scope.pointers.push_back(mapping.lookup(operand));
    return scope;
  }
};

} // namespace

std::unique_ptr<Pass> createKernelToFunctionsPass(const Target &target) {
  return std::make_unique<KernelToFunctions>(target);
}
void registerKernelToFunctionsPass() { PassRegistration<KernelToFunctions>(); }

} // namespace sinter::codegen
