/** The events that this folder listens to. */
import type { HostEvent } from '../host/events.js';
import type { LifecycleEvent } from '../lifecycle/events.js';
import type { PipelineEvent } from '../pipeline.js';

export type ObservedEvent = LifecycleEvent | PipelineEvent | HostEvent;
