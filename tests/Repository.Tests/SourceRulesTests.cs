using System.Text.RegularExpressions;

namespace Serving.Repository.Tests;

public sealed partial class SourceRulesTests
{
    private const int LinesMax = 400;

    /// <summary>Files whose public types are read together: small records of one message, ids, a seam with its description.</summary>
    private static readonly HashSet<string> _severalTypes =
    [
        "src/Contracts/Cluster/ClusterSnapshot.cs",
        "src/Contracts/Cluster/WorkerRegistration.cs",
        "src/Contracts/Internal/InternalApi.cs",
        "src/Engine/Execution/IModelExecutor.cs",
        "src/Engine/Execution/StepPlan.cs",
        "src/Engine/Formats/RawTensor.cs",
        "src/Engine/Ids.cs",
        "src/Engine/Kernels/NumericClass.cs",
        "src/Engine/KvCache/KvCacheLayout.cs",
        "src/Text/PromptText.cs",
    ];

    private static IEnumerable<string> Sources => RepositoryFiles.Under("src/", ".cs").Concat(RepositoryFiles.Under("tests/", ".cs"));

    [Fact]
    public void A_source_file_is_short_enough_to_read() => AssertNone(
        Sources.Select(path => (path, lines: File.ReadLines(RepositoryFiles.Absolute(path)).Count()))
            .Where(file => file.lines >= LinesMax)
            .Select(file => $"{file.path} has {file.lines} lines, {LinesMax} are too many: split it by responsibility"));

    [Fact]
    public void A_type_lives_in_a_file_scoped_namespace() => AssertNone(
        from path in Sources
        let text = RepositoryFiles.Read(path)
        where BlockNamespace().IsMatch(text) || (AnyType().IsMatch(text) && !FileNamespace().IsMatch(text) && Path.GetFileName(path) != "Program.cs")
        select $"{path} has no file-scoped namespace");

    [Fact]
    public void A_file_has_one_public_type_and_its_name() => AssertNone(
        from path in RepositoryFiles.Under("src/", ".cs")
        let types = PublicType().Matches(RepositoryFiles.Read(path)).Select(match => match.Groups["name"].Value).Distinct().ToList()
        where types.Count > 0 && !_severalTypes.Contains(path)
        let file = Path.GetFileName(path).Split('.')[0]
        where types.Count > 1 || types[0] != file
        select $"{path} declares {string.Join(", ", types)}: one public type a file, named as the file");

    [Fact]
    public void Exceptions_from_one_type_a_file_still_exist() =>
        AssertNone(_severalTypes.Where(path => !RepositoryFiles.All.Contains(path)).Select(path => $"{path} is gone: take it off the list"));

    [Fact]
    public void Product_code_has_nothing_left_to_do() => AssertNone(
        from path in RepositoryFiles.Under("src/", ".cs")
        where Unfinished().IsMatch(RepositoryFiles.Read(path))
        select $"{path} is unfinished: {Unfinished().Match(RepositoryFiles.Read(path)).Value}");

    [Fact]
    public void No_file_knows_the_machine_it_was_written_on() => AssertNone(
        from path in RepositoryFiles.All
        where RepositoryFiles.IsText(path)
        let found = MachinePath().Match(RepositoryFiles.Read(path))
        where found.Success
        select $"{path} mentions {found.Value.Trim()}");

    [Fact]
    public void A_link_in_the_documents_leads_somewhere() => AssertNone(
        from path in RepositoryFiles.All
        where path.EndsWith(".md", StringComparison.Ordinal)
        from link in MarkdownLink().Matches(CodeBlock().Replace(RepositoryFiles.Read(path), string.Empty)).Select(match => match.Groups["target"].Value)
        where !link.Contains(':', StringComparison.Ordinal)
        let target = Path.Combine(Path.GetDirectoryName(RepositoryFiles.Absolute(path))!, Uri.UnescapeDataString(link))
        where !File.Exists(target) && !Directory.Exists(target)
        select $"{path} links to {link}, which does not exist");

    private static void AssertNone(IEnumerable<string> violations)
    {
        List<string> all = [.. violations];
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    [GeneratedRegex(@"^namespace [\w.]+\s*\r?$", RegexOptions.Multiline)]
    private static partial Regex BlockNamespace();

    [GeneratedRegex(@"^namespace [\w.]+;", RegexOptions.Multiline)]
    private static partial Regex FileNamespace();

    [GeneratedRegex(@"^(public|internal)( \w+)* (class|record|struct|interface|enum|delegate) ", RegexOptions.Multiline)]
    private static partial Regex AnyType();

    [GeneratedRegex(@"^public( (static|sealed|abstract|partial|readonly|ref|unsafe|record))* (class|struct|interface|enum|record|delegate [\w<>\[\]?.]+) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex PublicType();

    [GeneratedRegex("TO" + @"DO\b|NotImplemented" + "Exception|FIX" + @"ME\b")]
    private static partial Regex Unfinished();

    // Split so that this file does not find itself.
    [GeneratedRegex(@"(?<![\w.$~*{}/-])/(wor" + @"k|home|root|Users)/[\w.-]+|\.\./sha" + @"red\b")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\]\((?<target>[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex MarkdownLink();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
