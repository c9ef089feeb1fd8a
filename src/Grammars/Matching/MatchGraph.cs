using System.Runtime.InteropServices;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// Runs a program: a pushdown automaton whose sets of stacks are built as texts reach them and kept, each with the ways out of it. Who follows a known
/// way takes no lock; making a new one takes one for as long as that step needs.
/// </summary>
internal sealed class MatchGraph
{
    /// <summary>Configurations kept; when there are more, all are forgotten but those that a matcher holds, and built anew where they are needed.</summary>
    private const int ConfigurationsMax = 5_000;
    private const int NodesMax = 50_000;

    /// <summary>A text that could be at more places than this at once is not followed: only an ambiguous grammar gets there.</summary>
    private const int TopsMax = 1_024;

    private readonly GrammarProgram _program;

    // What nobody knows: where a rule that is looked at by itself goes on.
    private readonly StackNode _bottom;
    private readonly Lock _lock = new();
    private readonly HashSet<StackNode> _visited = [];
    private readonly Stack<StackNode> _open = new();
    private readonly List<StackNode> _tops = [];

    private Dictionary<(int State, int Needed, int Left, StackNode? Parent), StackNode> _nodes = [];
    private Dictionary<StackNode[], Configuration>[] _configurations = NewConfigurations();
    private int _configurationCount;
    private int _lastNodeId;

    public MatchGraph(GrammarProgram program)
    {
        _program = program;
        _bottom = new StackNode(-1, -1, 0, 0, null);
        Dead = new Configuration([], false, false, program.ClassCount);
        Root = MakeRoot();
    }

    /// <summary>Where nothing may come any more, and the text must not end.</summary>
    public Configuration Dead { get; }

    /// <summary>Before the first byte.</summary>
    public Configuration Root { get; private set; }

    /// <summary>Where a byte leads; a dead configuration where it must not come.</summary>
    public Configuration Step(Configuration from, byte value)
    {
        var next = Volatile.Read(ref from.Next[_program.ByteClasses[value]]);
        return next ?? FindStep(from, value);
    }

    /// <summary>A state of a rule that is looked at by itself.</summary>
    public Configuration ByItself(int state, int needed, int left)
    {
        lock (_lock)
        {
            return Intern([Node(state, needed, left, _bottom)], isComplete: false, escapes: false);
        }
    }

    /// <summary>Where a text is that comes back to a place, or is only there.</summary>
    public Configuration Resume(StackNode node)
    {
        if (node.Resumed is { } known)
        {
            return known;
        }

        lock (_lock)
        {
            _open.Push(node);
            return node.Resumed = Close();
        }
    }

    /// <summary>Forgets all that is not in use.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _nodes = [];
            _configurations = NewConfigurations();
            _configurationCount = 0;
            Root = MakeRoot();
        }
    }

    private Configuration FindStep(Configuration from, byte value)
    {
        lock (_lock)
        {
            if (_configurationCount > ConfigurationsMax || _nodes.Count > NodesMax)
            {
                Forget();
            }

            var to = MakeStep(from, value);
            Volatile.Write(ref from.Next[_program.ByteClasses[value]], to);
            return to;
        }
    }

    private Configuration MakeStep(Configuration from, byte value)
    {
        foreach (var top in from.Tops)
        {
            foreach (var edge in _program.States[top.State].Bytes)
            {
                if (edge.First <= value && value <= edge.Last)
                {
                    _open.Push(Node(edge.Target, top.Needed, top.Left, top.Parent));
                }
            }
        }

        return Close();
    }

    private Configuration MakeRoot()
    {
        _open.Push(Enter(0, null));
        return Close();
    }

    /// <summary>Follows calls and returns from the open places to those where bytes come.</summary>
    private Configuration Close()
    {
        var isComplete = false;
        var escapes = false;
        while (_open.TryPop(out var node))
        {
            if (!_visited.Add(node))
            {
                continue;
            }

            if (node == _bottom)
            {
                escapes = true;
                continue;
            }

            var state = _program.States[node.State];
            var ends = state.Accepts;
            if (_program.Rules[state.Rule].IsCounted)
            {
                if (ends)
                {
                    _open.Push(NextItem(node, state.Rule));
                }

                ends = state.IsStart && node.Needed == 0;
                if (state.IsStart && node.Left == 0)
                {
                    isComplete |= Return(node, ends);
                    continue;
                }
            }

            isComplete |= Return(node, ends);
            if (state.Bytes.Length > 0)
            {
                _tops.Add(node);
            }

            foreach (var call in state.Calls)
            {
                // A call that has nothing to come back to takes the caller's place: recursion on the right does not grow the stack.
                var goesOn = !_program.States[call.Target].OnlyReturns || _program.Rules[state.Rule].IsCounted;
                _open.Push(Enter(call.Rule, goesOn ? Node(call.Target, node.Needed, node.Left, node.Parent) : node.Parent));
            }
        }

        _visited.Clear();
        _tops.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        var configuration = _tops.Count > TopsMax ? Dead : Intern([.. _tops], isComplete, escapes);
        _tops.Clear();
        return configuration;
    }

    private bool Return(StackNode node, bool ends)
    {
        if (ends && node.Parent is { } parent)
        {
            _open.Push(parent);
        }

        return ends && node.Parent is null;
    }

    private StackNode Enter(int rule, StackNode? parent)
    {
        var automaton = _program.Rules[rule];
        return automaton.IsCounted
            ? Node(_program.Starts[rule], automaton.CountMin, automaton.CountMax, parent)
            : Node(_program.Starts[rule], 0, 0, parent);
    }

    private StackNode NextItem(StackNode node, int rule) => Node(
        _program.Starts[rule],
        Math.Max(0, node.Needed - 1),
        node.Left == RuleAutomaton.Unlimited ? RuleAutomaton.Unlimited : node.Left - 1,
        node.Parent);

    /// <summary>The one node of a place.</summary>
    private StackNode Node(int state, int needed, int left, StackNode? parent)
    {
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, (state, needed, left, parent), out _);
        return node ??= new StackNode(_lastNodeId++, state, needed, left, parent);
    }

    private Configuration Intern(StackNode[] tops, bool isComplete, bool escapes)
    {
        if (tops.Length == 0 && !isComplete && !escapes)
        {
            return Dead;
        }

        var table = _configurations[(isComplete ? 1 : 0) + (escapes ? 2 : 0)];
        ref var configuration = ref CollectionsMarshal.GetValueRefOrAddDefault(table, tops, out var exists);
        if (!exists)
        {
            configuration = new Configuration(tops, isComplete, escapes, _program.ClassCount);
            _configurationCount++;
        }

        return configuration!;
    }

    private static Dictionary<StackNode[], Configuration>[] NewConfigurations() =>
        [.. Enumerable.Range(0, 4).Select(_ => new Dictionary<StackNode[], Configuration>(TopsComparer.Instance))];

    private sealed class TopsComparer : IEqualityComparer<StackNode[]>
    {
        public static TopsComparer Instance { get; } = new();

        public bool Equals(StackNode[]? x, StackNode[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(StackNode[] tops)
        {
            var hash = default(HashCode);
            foreach (var node in tops)
            {
                hash.Add(node.Id);
            }

            return hash.ToHashCode();
        }
    }
}
