using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>The mixers of a model: one for all layers whose experts have the same sizes.</summary>
internal sealed class ExpertMixers : IDisposable
{
    private readonly List<(ExpertSet Set, ExpertMixer Mixer)> _mixers = [];
    private readonly Dictionary<ExpertSet, ExpertMixer> _bySet = new(ReferenceEqualityComparer.Instance);

    public ExpertMixers(ModelGraph graph, NumericClass numericClass, int rowsMax)
    {
        foreach (ExpertSet set in DistinctSets(graph))
        {
            _mixers.Add((set, new ExpertMixer(set, numericClass, rowsMax)));
        }

        ForEachSet(graph, set => _bySet.Add(set, _mixers.Find(candidate => ExpertMixer.CanShare(candidate.Set, set)).Mixer));
    }

    /// <summary>Bytes of the mixers of a model.</summary>
    public static long ByteCount(ModelGraph graph, NumericClass numericClass, int rowsMax)
    {
        long bytes = 0;
        foreach (ExpertSet set in DistinctSets(graph))
        {
            bytes += ExpertMixer.ByteCount(set, numericClass, rowsMax);
        }

        return bytes;
    }

    public ExpertMixer MixerOf(ExpertSet set) => _bySet[set];

    public void Dispose() => _mixers.ForEach(mixer => mixer.Mixer.Dispose());

    private static List<ExpertSet> DistinctSets(ModelGraph graph)
    {
        var distinct = new List<ExpertSet>();
        ForEachSet(graph, set =>
        {
            if (!distinct.Exists(known => ExpertMixer.CanShare(known, set)))
            {
                distinct.Add(set);
            }
        });
        return distinct;
    }

    private static void ForEachSet(ModelGraph graph, Action<ExpertSet> use)
    {
        foreach (Operation operation in graph.Operations)
        {
            if (operation is MixExperts mix)
            {
                use(mix.Set);
            }
        }
    }
}
