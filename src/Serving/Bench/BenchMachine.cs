using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Serving.Cli.Bench;

/// <summary>The processor that figures belong to.</summary>
/// <param name="Processor">Its name.</param>
/// <param name="Cores">Cores that this process may use.</param>
/// <param name="Features">Instruction sets that matrix products care about, as the system names them.</param>
internal sealed record BenchMachine(string Processor, int Cores, IReadOnlyList<string> Features)
{
    private static readonly string[] Telling =
    [
        "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16",
        "asimd", "asimddp", "i8mm", "bf16", "sve",
    ];

    public static BenchMachine Read() => Parse(File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [], Environment.ProcessorCount);

    /// <param name="cpuInfo">Lines of Linux's /proc/cpuinfo; none elsewhere.</param>
    internal static BenchMachine Parse(IEnumerable<string> cpuInfo, int cores)
    {
        string? name = null;
        HashSet<string>? flags = null;
        foreach (var line in cpuInfo)
        {
            var (key, value) = line.Split(':', 2) is [var left, var right] ? (left.Trim(), right.Trim()) : ("", "");
            name ??= key == "model name" ? value : null;
            flags ??= key is "flags" or "Features" ? [.. value.Split(' ')] : null;
        }

        return new BenchMachine(name ?? $"unknown {RuntimeInformation.ProcessArchitecture} processor", cores, [.. Telling.Where(feature => flags?.Contains(feature) == true)]);
    }

    public JsonObject ToJson() => new()
    {
        ["name"] = Processor,
        ["cores"] = Cores,
        ["features"] = new JsonArray([.. Features.Select(feature => JsonValue.Create(feature))]),
    };

    public override string ToString() => $"{Processor}, {Cores} cores ({string.Join(' ', Features)})";
}
