// File modes are what these tests look at.
[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
