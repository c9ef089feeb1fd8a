using Serving.Control.Admin;
using Serving.Control.Leadership;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using Serving.ServiceDefaults.Telemetry;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults("control");
builder.UseInternalEndpoint();
builder.Services.AddClusterView();
builder.Services.AddLeadership();

var app = builder.Build();
app.UseInternalAuthentication();
app.MapMetrics();
app.MapClusterApi();
return await app.RunToExitCodeAsync();
