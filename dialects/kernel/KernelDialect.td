//===- KernelDialect.td - fused loops over static tensors ----------------------------------------===//
#ifndef SINTER_KERNEL_DIALECT_TD
#define SINTER_KERNEL_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::sinter::kernel";
  let summary = "Fused loops with static addresses";
  let description = [{
    Two loop ops carry nearly a whole step: `kernel.contract` (every matrix product and convolution, with what follows it fused in) and
    `kernel.sweep` (pointwise work, reductions, pools, moves). Where numbers in memory say what is read or written, `kernel.gather` and
    `kernel.scatter_add` do it. All are destination-style. Before the memory plan they stand on tensors inside a
    `train.step`; behind it on memrefs, each in a `kernel.task`, and a `kernel.steps` list says in which order tasks run.

    What changes bits is apart from what does not: the order of a sum (`order`, and the order of the domain's axes) is part of the op; a
    `schedule` only says how fast.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class Kernel_Op<string mnemonic, list<Trait> traits = []> : Op<Kernel_Dialect, mnemonic, traits>;

class Kernel_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<Kernel_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Kernel_ScheduleAttr : Kernel_Attr<"Schedule", "schedule"> {
  let summary = "how a contraction is run; no bit of its result depends on it";
  let description = [{
    `mr` rows by `nr` vectors of 16 columns are held in registers; the innermost sum axis is unrolled by `unroll`; `rowsOutside`: the loop over row
    tiles stands outside that over column panels; `shares`: into how many shares the task is cut. `packA` and `packB`: what a register tile reads of A,
    and a column panel of B, is first copied side by side. `chunk`: so many of the outermost rows go through each tap together; 0 where a share
    walks them one by one.
  }];
  let parameters = (ins "int64_t":$mr, "int64_t":$nr, "int64_t":$unroll, "bool":$rowsOutside, "int64_t":$shares,
                        DefaultValuedParameter<"bool", "false">:$packA, DefaultValuedParameter<"bool", "false">:$packB,
                        DefaultValuedParameter<"int64_t", "0">:$chunk);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // SINTER_KERNEL_DIALECT_TD
