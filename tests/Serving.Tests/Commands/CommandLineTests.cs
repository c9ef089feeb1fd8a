using System.CommandLine;
using Serving.Cli.Commands;

namespace Serving.Serving.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("up --port 0", "--port 0 is out of range: give 1 to 65535.")]
    [InlineData("up --host nowhere", "--host nowhere is not an IP address")]
    [InlineData("up --memory lots", "--memory lots is not an amount of memory")]
    [InlineData("up --compute slow", "--compute slow is not known")]
    [InlineData("up --kv-type int4", "--kv-type int4 is not known: give fp32, fp16 or int8.")]
    [InlineData("up --cors-origin chat.example", "is not a web origin")]
    [InlineData("up --quiet --verbose", "exclude each other")]
    [InlineData("chat --url nowhere", "--url nowhere is not an address")]
    [InlineData("chat --temperature 3", "--temperature 3 is out of range: give 0 to 2.")]
    [InlineData("bench peer --rounds 0", "--rounds 0 is out of range")]
    [InlineData("bench engine --rounds 0", "--rounds 0 is out of range")]
    [InlineData("bench peer --threads 0", "--threads 0 is out of range")]
    [InlineData("chat --max-tokens 0", "--max-tokens 0 is out of range")]
    [InlineData("tokenizer verify tokenizer.json", "--golden")]
    public void A_mistake_is_named_with_its_option(string line, string expected)
    {
        var errors = ServingCommand.Create().Parse(line.Split(' ')).Errors;
        Assert.Contains(expected, Assert.Single(errors).Message);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("up --host ::1 --port 9000 --memory 4GiB --threads 2 --compute fp32 --kv-type int8 --weight-cache off --cors-origin https://a.example --cors-origin http://localhost:3000")]
    [InlineData("chat")]
    [InlineData("chat Hello --temperature 0 --max-tokens 5 --url https://llm.example/")]
    public void What_the_help_says_is_accepted(string line) => Assert.Empty(ServingCommand.Create().Parse(line.Split(' ')).Errors);

    [Theory]
    [InlineData("--help", "serving chat \"What is the capital of France?\"")]
    [InlineData("up --help", "[default: 8080]")]
    [InlineData("chat --help", "[default: http://127.0.0.1:8080/]")]
    [InlineData("tokenizer verify --help", "serving tokenizer verify tokenizer.json --golden golden.json --json")]
    [InlineData("template verify --help", "serving template verify chat-templates.json")]
    public void Help_has_defaults_and_examples(string line, string expected)
    {
        var output = new StringWriter();
        ServingCommand.Create().Parse(line.Split(' ')).Invoke(new InvocationConfiguration { Output = output });
        Assert.Contains(expected, output.ToString());
        Assert.Contains("Examples:", output.ToString());
    }
}
