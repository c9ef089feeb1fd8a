namespace Serving.Repository.Tests;

/// <summary>Dependencies point one way: hosts, then Worker, Router, Policies and Transfer, then Engine, then Text, Grammars, Contracts.</summary>
public sealed class ReferenceGraphTests
{
    /// <summary>What each project may refer to. A new project gets its line here first.</summary>
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Contracts"] = [],
        ["Text"] = ["Contracts"],
        ["Grammars"] = ["Contracts"],
        ["Embeddings"] = ["Text", "Contracts"],
        ["Engine"] = ["Grammars", "Text", "Contracts"],
        ["Policies"] = ["Text", "Contracts"],
        ["Router"] = ["Text", "Contracts"],
        ["Transfer"] = ["Contracts"],
        ["ServiceDefaults"] = ["Contracts"],
        ["Storage"] = [],
        ["Worker"] = ["Embeddings", "Engine", "Grammars", "Text", "Transfer", "Policies", "ServiceDefaults", "Contracts"],
        ["Gateway"] = ["Grammars", "Router", "Policies", "Storage", "ServiceDefaults", "Contracts"],
        ["Control"] = ["Policies", "ServiceDefaults", "Contracts"],
        ["PrefillWorker"] = ["Worker", "ServiceDefaults", "Contracts"],
        ["DecodeWorker"] = ["Worker", "ServiceDefaults", "Contracts"],
        ["Serving"] = ["Engine", "Text", "ServiceDefaults", "Contracts"],
    };

    /// <summary>Projects that other test projects cover: DTOs without logic, and hosts that only start Worker.</summary>
    private static readonly string[] _testedElsewhere = ["Contracts", "PrefillWorker", "DecodeWorker"];

    [Fact]
    public void Each_project_refers_only_to_those_below_it()
    {
        foreach (ProjectFile project in ProjectFile.Src.Values)
        {
            Assert.True(_allowed.TryGetValue(project.Name, out string[]? allowed), $"{project.Path} has no line in the table of this test: add what it may refer to.");
            IEnumerable<string> wrong = project.Projects.Except(allowed!);
            Assert.True(!wrong.Any(), $"{project.Path} may not refer to {string.Join(", ", wrong)}.");
        }
    }

    [Theory]
    [InlineData("Gateway")]
    [InlineData("Router")]
    [InlineData("Control")]
    [InlineData("Policies")]
    public void What_runs_without_a_model_never_reaches_the_engine(string name) =>
        Assert.DoesNotContain("Engine", ProjectFile.Src[name].Reaches());

    [Fact]
    public void Each_project_has_its_tests()
    {
        IEnumerable<string> untested = ProjectFile.Src.Keys.Except(_testedElsewhere).Where(name => !ProjectFile.Tests.ContainsKey(name + ".Tests"));
        Assert.True(!untested.Any(), $"No test project for {string.Join(", ", untested)}.");
    }

    [Fact]
    public void Only_service_defaults_storage_and_tests_know_the_redis_client()
    {
        IEnumerable<string> knowing = ProjectFile.Src.Values
            .Where(project => project.Packages.Any(package => (string?)package.Attribute("Include") == "StackExchange.Redis"))
            .Select(project => project.Name);
        Assert.Equal(["ServiceDefaults", "Storage"], knowing.Order());
    }

    [Fact]
    public void Package_versions_stand_in_one_file()
    {
        foreach (ProjectFile project in ProjectFile.Src.Values.Concat(ProjectFile.Tests.Values))
        {
            Assert.All(project.Packages, package => Assert.True(
                package.Attribute("Version") is null && package.Attribute("VersionOverride") is null && package.Element("Version") is null,
                $"{project.Path}: {package.Attribute("Include")?.Value} has its version here; put it in Directory.Packages.props."));
        }
    }

    [Fact]
    public void Each_project_is_in_the_solution()
    {
        string solution = RepositoryFiles.Read("Serving.sln").Replace('\\', '/');
        IEnumerable<string> missing = ProjectFile.Src.Values.Concat(ProjectFile.Tests.Values).Select(project => project.Path).Where(path => !solution.Contains(path, StringComparison.Ordinal));
        Assert.True(!missing.Any(), $"Not in Serving.sln: {string.Join(", ", missing)}.");
    }
}
