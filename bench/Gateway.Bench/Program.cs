// What the gateway costs. The gateway, a bare YARP proxy and a stub worker run in processes of their own; this one is the client, on the same processors.
//   dotnet run --project bench/Gateway.Bench -c Release [-- ROUNDS]
// One request after the other: latency through the gateway against that of the stub asked directly. Many at once: requests per second through the gateway
// against those through a bare YARP proxy before the same stub. Both in turns. And how soon requests with mistakes of every kind are refused.
using Serving.Gateway.Bench;
using Serving.Gateway.Bench.Hosts;

switch (args)
{
    case ["stub"]:
        await StubHost.RunAsync();
        break;
    case ["gateway", var internalUrl]:
        await GatewayUnderTest.RunAsync(internalUrl);
        break;
    case ["proxy", var jsonUrl]:
        await ProxyHost.RunAsync(jsonUrl);
        break;
    default:
        await Comparison.RunAsync(args.Length > 0 ? int.Parse(args[0]) : 5);
        break;
}
