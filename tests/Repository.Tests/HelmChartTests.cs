using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Serving.Repository.Tests;

public sealed partial class HelmChartTests
{
    private const string Chart = "deploy/helm/serving/";

    private static YamlMappingNode Values => Parse(RepositoryFiles.Read(Chart + "values.yaml"))[0];

    [Fact]
    public void The_chart_names_itself_and_its_version()
    {
        YamlMappingNode chart = Parse(RepositoryFiles.Read(Chart + "Chart.yaml"))[0];
        Assert.Equal("serving", chart["name"].ToString());
        Assert.Equal("v2", chart["apiVersion"].ToString());
        Assert.Matches(@"^\d+\.\d+\.\d+$", chart["version"].ToString());
    }

    [Fact]
    public void The_default_values_satisfy_the_schema()
    {
        using JsonDocument schema = Schema();
        Assert.Empty(ValuesSchema.Check(schema.RootElement, Values, "values"));
    }

    [Theory]
    [InlineData("gateway", "replicsa", "2")]
    [InlineData("gateway", "port", "http")]
    [InlineData("gateway", "port", "70000")]
    [InlineData("decode", "compute", "slow")]
    [InlineData("redis", "host", "redis without a port")]
    public void The_schema_refuses_a_mistake(string section, string key, string value)
    {
        using JsonDocument schema = Schema();
        YamlMappingNode values = Values;
        ((YamlMappingNode)values[section]).Children[key] = value;
        Assert.NotEmpty(ValuesSchema.Check(schema.RootElement, values, "values"));
    }

    [Fact]
    public void Every_block_of_a_template_ends()
    {
        foreach (string path in RepositoryFiles.All.Where(path => path.StartsWith(Chart + "templates/", StringComparison.Ordinal)))
        {
            string text = RepositoryFiles.Read(path);
            Assert.Equal(Count(text, "{{"), Count(text, "}}"));
            List<string> words = [.. Action().Matches(text).Select(match => match.Groups["word"].Value)];
            Assert.True(words.Count(word => word is "if" or "range" or "with" or "define" or "block") == words.Count(word => word == "end"), $"{path}: blocks and ends differ");
        }
    }

    [Fact]
    public void A_template_uses_only_values_that_exist()
    {
        foreach (string path in RepositoryFiles.All.Where(path => path.StartsWith(Chart + "templates/", StringComparison.Ordinal)))
        {
            foreach (Match match in ValueUse().Matches(RepositoryFiles.Read(path)))
            {
                YamlNode node = Values;
                foreach (string key in match.Groups["path"].Value.Split('.'))
                {
                    Assert.True(node is YamlMappingNode map && map.Children.ContainsKey(key), $"{path} uses {match.Value}, which values.yaml lacks");
                    node = node[key];
                }
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("redis.host=redis.example:6379 clusterSecret.existingSecret=mine apiKeys.existingSecret=keys")]
    [InlineData("model.volume.existingClaim=models model.weightCache.hostPath=/var/lib/weights decode.threads=4 networkPolicy.enabled=false gateway.corsOrigins=[https://a.example]")]
    public void The_chart_renders_into_hardened_objects(string settings)
    {
        string output = HelmRender.Run(RepositoryFiles.Absolute(Chart), settings);
        List<YamlMappingNode> objects = Parse(output);
        List<YamlMappingNode> workloads = [.. objects.Where(item => item["kind"].ToString() is "Deployment" or "StatefulSet")];

        Assert.Equal(objects.Count, objects.Select(item => $"{item["kind"]}/{item["metadata"]["name"]}").Distinct().Count());
        Assert.Equal(settings.Contains("redis.host", StringComparison.Ordinal) ? 4 : 5, workloads.Count);
        foreach (YamlNode pod in workloads.Select(item => item["spec"]["template"]["spec"]))
        {
            Assert.Equal("true", pod["securityContext"]["runAsNonRoot"].ToString());
            foreach (YamlNode container in (YamlSequenceNode)pod["containers"])
            {
                Assert.Equal("true", container["securityContext"]["readOnlyRootFilesystem"].ToString());
                Assert.Equal("ALL", container["securityContext"]["capabilities"]["drop"][0].ToString());
                Assert.NotNull(container["readinessProbe"]);
                Assert.NotNull(container["livenessProbe"]);
                Assert.NotNull(container["resources"]["limits"]["memory"]);
            }
        }
    }

    private static JsonDocument Schema() => JsonDocument.Parse(RepositoryFiles.Read(Chart + "values.schema.json"));

    private static List<YamlMappingNode> Parse(string text)
    {
        YamlStream stream = [];
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>()];
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex(@"\{\{-?\s*(?<word>if|range|with|define|block|end)\b")]
    private static partial Regex Action();

    [GeneratedRegex(@"\.Values\.(?<path>\w+(\.\w+)*)")]
    private static partial Regex ValueUse();
}
