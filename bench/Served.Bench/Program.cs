// What a client of a fresh platform sees. Starts `./serving up` on a port and a data folder of its own for each round, waits for /ready, and at once
// measures, through the gateway: the time to first token of ten requests one after the other (all different, so that nothing is reused), then the decode
// rate of one stream and of eight at once. Prints a table of medians over the rounds.
//   dotnet run --project bench/Served.Bench -c Release [-- ROUNDS]
// With `-- prefix`: the time to first token of long prompts, cold and when their beginning was computed before.
// "soak": one platform under the load of the conversation trace, watched for leaks and drift; ends with 1 where a bound is not kept.
//   dotnet run --project bench/Served.Bench -c Release -- soak [MINUTES [OPTIONS OF serving up]]
using Serving.Served.Bench;
using Serving.Served.Bench.Soak;

if (args is ["soak", ..])
{
    return await SoakRun.RunAsync(TimeSpan.FromMinutes(args.Length > 1 ? double.Parse(args[1]) : 10), args[Math.Min(2, args.Length)..]) ? 0 : 1;
}

if (args is ["prefix"])
{
    await using FreshPlatform once = await FreshPlatform.StartAsync();
    await PrefixHits.RunAsync(once);
    return 0;
}

int rounds = args.Length > 0 ? int.Parse(args[0]) : 3;
List<RoundResult> results = [];
for (int round = 0; round < rounds; round++)
{
    await using FreshPlatform platform = await FreshPlatform.StartAsync();
    RoundResult result = await Round.RunAsync(platform);
    results.Add(result);
    Console.WriteLine($"round {round + 1}: {result}");
}

Report.Print(results);
return 0;
