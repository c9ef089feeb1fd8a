using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Serving.Gateway.Security;

namespace Serving.Gateway.Configuration;

/// <summary>Finds every mistake in the options at once, so that a start fails only one time.</summary>
internal sealed class GatewayOptionsValidator : IValidateOptions<GatewayOptions>
{
    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var fields = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), fields, validateAllProperties: true);
        var mistakes = fields.Select(field => $"{GatewayOptions.Section}: {field.ErrorMessage}").ToList();
        mistakes.AddRange(ListenMistakes(options));
        mistakes.AddRange(options.CorsOrigins.Where(origin => !IsOrigin(origin)).Select(origin =>
            $"{GatewayOptions.Section}:CorsOrigins has '{origin}', which is no origin: "
                + "write scheme://host[:port] without a path, as browsers send it."));
        mistakes.AddRange(options.ModelAliases.Where(alias => string.IsNullOrWhiteSpace(alias.Value)).Select(alias =>
            $"{GatewayOptions.Section}:ModelAliases:{alias.Key} names no model."));
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> ListenMistakes(GatewayOptions options)
    {
        var listen = ListenAddress.Parse(options.Listen ?? "");
        if (listen is null)
        {
            yield return $"{GatewayOptions.Section}:Listen is '{options.Listen}': write http://address:port with an IP address or localhost.";
        }

        if (options.ApiKeyFile is not null)
        {
            foreach (var mistake in ApiKeys.Read(options.ApiKeyFile).Mistakes)
            {
                yield return $"{GatewayOptions.Section}:ApiKeyFile: {mistake}";
            }
        }
        else if (listen is { IsLoopback: false })
        {
            yield return $"{GatewayOptions.Section}:Listen is {options.Listen}, which other machines can reach, so requests need an API key: "
                + $"name a file with one key a line in {GatewayOptions.Section}:ApiKeyFile, or listen on 127.0.0.1.";
        }
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.GetLeftPart(UriPartial.Authority) == text;
}
