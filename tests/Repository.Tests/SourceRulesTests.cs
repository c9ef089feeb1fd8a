using System.Text.RegularExpressions;

namespace Serving.Repository.Tests;

public sealed partial class SourceRulesTests
{
    private const int LinesMax = 400;

    /// <summary>Files that keep more together than the rule allows, and why.</summary>
    private static readonly Dictionary<string, string> _severalTypes = new()
    {
        ["src/Contracts/Internal/InternalApi.cs"] = "routes and headers are one vocabulary",
        ["src/Engine/Ids.cs"] = "one line each",
        ["src/Engine/Kernels/NumericClass.cs"] = "the lower seam and what passes through it",
    };

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

    /// <summary>Enums, records, nested options and the JSON context of a type may stand beside it: they are read together.</summary>
    [Fact]
    public void A_file_has_one_public_type_and_its_name() => AssertNone(
        from path in RepositoryFiles.Under("src/", ".cs")
        where !_severalTypes.ContainsKey(path)
        let types = PublicType().Matches(RepositoryFiles.Read(path))
        let names = types.Select(type => type.Groups["name"].Value).Distinct().ToList()
        let principal = types.Where(type => !IsCompanion(type)).Select(type => type.Groups["name"].Value).Distinct()
        where names.Count > 0 && (principal.Count() > 1 || !names.Contains(Path.GetFileName(path).Split('.')[0]))
        select $"{path} declares {string.Join(", ", names)}: one public type a file, named as the file");

    [Fact]
    public void Exceptions_from_one_type_a_file_still_exist() =>
        AssertNone(_severalTypes.Keys.Where(path => !RepositoryFiles.All.Contains(path)).Select(path => $"{path} is gone: take it off the list"));

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

    private static bool IsCompanion(Match type) =>
        type.Groups["name"].Value.EndsWith("Options", StringComparison.Ordinal)
        || type.Value.Contains(" enum ", StringComparison.Ordinal)
        || type.Value.Contains(" record ", StringComparison.Ordinal)
        || type.Value.Contains("JsonSerializerContext", StringComparison.Ordinal);

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

    [GeneratedRegex(@"^public( (static|sealed|abstract|partial|readonly|ref|unsafe|record))* (class|struct|interface|enum|record|delegate [\w<>\[\]?.]+) (?<name>\w+)( : JsonSerializerContext)?", RegexOptions.Multiline)]
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
