namespace Serving.Control.Leadership;

internal static class LeadershipServices
{
    public static IServiceCollection AddLeadership(this IServiceCollection services)
    {
        services.AddSingleton<Leadership>();
        services.AddSingleton<ILeadership>(provider => provider.GetRequiredService<Leadership>());
        return services.AddHostedService(provider => provider.GetRequiredService<Leadership>());
    }
}
