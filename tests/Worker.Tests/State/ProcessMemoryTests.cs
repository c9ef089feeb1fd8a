using Serving.Worker.State;

namespace Serving.Worker.Tests.State;

public sealed class ProcessMemoryTests
{
    [Fact]
    public void A_process_knows_what_it_takes_and_how_much_of_it_is_files()
    {
        string[] status = ["Name:\tworker", "VmHWM:\t  900 kB", "VmRSS:\t  700 kB", "RssAnon:\t  500 kB", "RssFile:\t  200 kB", "Threads:\t3", "VmRSS:\tmany kB"];

        Assert.Equal(new ProcessMemory(700 << 10, 200 << 10), ProcessMemory.Parse(status));
        Assert.InRange(ProcessMemory.Read().ResidentBytes, 1 << 20, 1L << 40);
    }
}
