namespace Serving.Cli.Supervision;

/// <summary>A running process.</summary>
internal interface IChild : IDisposable
{
    int Pid { get; }

    /// <summary>Ends with the process; its exit code, 128 + the signal's number if a signal ended it.</summary>
    Task<int> Ended { get; }

    /// <summary>Orders it to stop, by the end of its standard input.</summary>
    void OrderStop();

    void Kill();
}

/// <summary>Starts processes.</summary>
internal interface IChildLauncher
{
    /// <param name="onLine">Takes each line of the process's output, on any thread.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    IChild Launch(ChildSpec spec, Action<string> onLine);
}
