// The requests as the stream of events reports them.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Summary } from '../src/inspect/view.ts';
import * as api from './api.ts';

/** What the page knows. */
export interface Requests {
  app: api.AppInfo | undefined;
  /** Newest first. */
  requests: Summary[];
  connected: boolean;
  /** While it is paused, what happens waits. */
  paused: boolean;
  setPaused: (paused: boolean) => void;
  /** How many messages wait. */
  waiting: number;
}

/** Follows the requests. */
export function useRequests(failed: (error: unknown) => void): Requests {
  const [app, setApp] = useState<api.AppInfo>();
  const [requests, setRequests] = useState<Summary[]>([]);
  const [connected, setConnected] = useState(false);
  const [paused, setPausedState] = useState(false);
  const [waiting, setWaiting] = useState(0);
  const isPaused = useRef(false);
  const reload = (): void => {
    api.list().then(({ app: info, requests: all }) => {
      setApp(info);
      setRequests(all.reverse());
    }, failed);
  };
  useEffect(
    () =>
      api.listen(
        () => {
          setConnected(true);
          reload();
        },
        (message) => {
          if (isPaused.current) setWaiting((count) => count + 1);
          else setRequests((before) => merged(before, message));
        },
        () => setConnected(false),
      ),
    [],
  );
  const setPaused = (value: boolean): void => {
    isPaused.current = value;
    setPausedState(value);
    setWaiting(0);
    if (!value) reload();
  };
  return { app, requests, connected, paused, setPaused, waiting };
}

function merged(before: Summary[], { cleared, changed, removed }: api.LiveMessage): Summary[] {
  const all = new Map(cleared ? [] : before.map((each) => [each.id, each]));
  for (const each of changed) all.set(each.id, each);
  for (const id of removed) all.delete(id);
  return [...all.values()].sort((one, other) => other.at - one.at);
}
