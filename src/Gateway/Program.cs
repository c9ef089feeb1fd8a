using Serving.Gateway;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Telemetry;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddServiceDefaults("gateway");
builder.Services.AddClusterView();
builder.AddGateway();

var app = builder.Build();
app.MapGateway();
app.MapMetrics();
return await app.RunToExitCodeAsync();
