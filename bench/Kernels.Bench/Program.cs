using BenchmarkDotNet.Running;
using Serving.Engine.Kernels;
using Serving.Kernels.Bench;

// Without arguments: a table of throughputs in under a minute. "formats": every weight format at one row and at more. "mapped": weights in place against
// repacked ones. "others": prompt chunks' products against other libraries' (-p:Torch=cpu for TorchSharp's too). "attention": a layer's attention. "load PATH": a model's load times. "speculation PATH": what guessing tokens gains. "sampler": the choice of a token. "grammars MODEL SCHEMAS [cold]": what constraints cost. With other arguments:
// BenchmarkDotNet's own (--filter '*', --list flat …).
if (args.Length == 0)
{
    ThroughputTable.Print(KernelSelection.Default);
}
else if (args is ["formats", .. var names])
{
    FormatTable.Print(KernelSelection.Default, names);
}
else if (args is ["others"])
{
    OtherProducts.Print(KernelSelection.Default);
}
else if (args is ["mapped"])
{
    MappedComparison.Print(KernelSelection.Default);
}
else if (args is ["sampler"])
{
    SamplerTimes.Print();
}
else if (args is ["attention"])
{
    AttentionTable.Print(KernelSelection.Default);
}
else if (args is ["load", var path])
{
    LoadTimes.Print(path);
}
else if (args is ["grammars", var vocabulary, var schemas])
{
    GrammarTimes.Print(vocabulary, schemas, isWarm: true);
}
else if (args is ["grammars", var coldVocabulary, var coldSchemas, "cold"])
{
    GrammarTimes.Print(coldVocabulary, coldSchemas, isWarm: false);
}
else if (args is ["speculation", var model])
{
    SpeculationTable.Print(model);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmarks).Assembly).Run(args);
}
