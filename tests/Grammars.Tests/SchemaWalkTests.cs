using System.Text.Json;
using Json.Schema;
using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

/// <summary>Random answers that the masks allow, held to a validator that nobody here wrote.</summary>
public sealed class SchemaWalkTests
{
    private const int AnswersEach = 3;

    private static readonly EvaluationOptions _strict = new() { RequireFormatValidation = true };

    [Fact]
    public void There_are_200_schemas() => Assert.Equal(200, SchemaFile.All.Count);

    [Fact]
    public void Every_answer_that_the_masks_allow_validates()
    {
        var end = Vocabularies.Tokenizer.EndOfTextId!.Value;
        var wrong = new List<string>();
        var tooLong = 0;
        for (var i = 0; i < SchemaFile.All.Count; i++)
        {
            var compiled = new CompiledGrammar(Grammar.JsonSchema(SchemaFile.All[i]), Vocabularies.SmolLm2);
            var schema = JsonSchema.FromText(SchemaFile.All[i].GetRawText());
            for (var seed = 0; seed < AnswersEach; seed++)
            {
                var answer = Walk.Random(compiled, end, new Random((i * AnswersEach) + seed));
                tooLong += answer is null ? 1 : 0;
                if (answer is not null && !IsValid(schema, answer))
                {
                    wrong.Add($"schema {i}, seed {seed}: {answer}\n  {SchemaFile.All[i].GetRawText()}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)) + $"\n{wrong.Count} wrong");
        Assert.InRange(tooLong, 0, SchemaFile.All.Count * AnswersEach / 20);
    }

    private static bool IsValid(JsonSchema schema, string answer)
    {
        using var document = JsonDocument.Parse(answer);
        return schema.Evaluate(document.RootElement, _strict).IsValid;
    }
}
