import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a run with one plain line, `N passed, N failed, N skipped`, for programs that read the log. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    // An error outside every test counts as a failure: otherwise a red run could close with "0 failed".
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedInModule = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') failedInModule += 1;
        else count.skipped += 1;
      }
      // A file that cannot be loaded, or whose hooks fail, has no failed test of its own.
      if (failedInModule === 0 && module.state() === 'failed') failedInModule = 1;
      count.failed += failedInModule;
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
