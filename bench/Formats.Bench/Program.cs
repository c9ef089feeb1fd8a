using Serving.Formats.Bench;
using Serving.TestKit;

// Reads damaged models of every format and reports what was not refused as it should be:
//   dotnet run -c Release --project bench/Formats.Bench -- [--inputs 100000] [--seed 1] [--format NAME ...] [--models FOLDER]
// --models: the config.json of each model folder in FOLDER as well. Exit code 1 where anything was found.
FuzzOptions? options = FuzzOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine($"usage: Formats.Bench [--inputs N] [--seed N] [--format {string.Join('|', FormatTargets.All.Keys)}]... [--models FOLDER]");
    return 2;
}

Console.WriteLine($"{options.Inputs} inputs a format, seeds from {options.Seed}");
Console.WriteLine($"{"format",-28}{"opened",9}{"refused",9}{"failed",8}{"MiB max",9}{"ms max",9}{"inputs/s",10}");
bool clean = true;
foreach (Func<FormatTarget> make in options.Targets())
{
    using FormatTarget target = make();
    clean &= new FuzzRun(target, options).Run();
}

return clean ? 0 : 1;
