using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Serving.ServiceDefaults.Hosting;

public static class ValidatedOptions
{
    /// <summary>
    /// Binds <typeparamref name="TOptions"/> to a configuration section and validates it when the host starts; every mistake of every section
    /// is reported at once. Further <see cref="IValidateOptions{TOptions}"/> services add rules over several fields.
    /// </summary>
    public static OptionsBuilder<TOptions> AddValidatedOptions<TOptions, TValidator>(this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        return services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
    }
}
