using Serving.Cli.Bench;

namespace Serving.Serving.Tests.Bench;

public sealed class BenchMachineTests
{
    [Fact]
    public void Names_the_processor_and_what_matters_of_its_features()
    {
        var machine = BenchMachine.Parse(["processor\t: 0", "model name\t: AMD EPYC", "flags\t\t: fpu avx avx2 avx512f avx512_vnni rdrand", "model name\t: another"], cores: 2);

        Assert.Equal(("AMD EPYC", 2), (machine.Processor, machine.Cores));
        Assert.Equal(["avx", "avx2", "avx512f", "avx512_vnni"], machine.Features);
    }

    [Fact]
    public void Knows_nothing_of_a_system_that_tells_nothing()
    {
        var machine = BenchMachine.Parse([], cores: 4);

        Assert.StartsWith("unknown ", machine.Processor);
        Assert.Empty(machine.Features);
    }
}
