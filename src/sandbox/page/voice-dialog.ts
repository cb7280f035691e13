/** Asks for a voice message: one that is recorded, or a file. */
import { openDialog } from './dialogs.js';
import { h, setText } from './dom.js';
import { notice } from './notices.js';

/** The format of Telegram's voice messages first; not every browser records it. */
const formats = ['audio/ogg;codecs=opus', 'audio/mp4', 'audio/webm;codecs=opus'];

/** Calls `send` with the message and its length in seconds, if that is known. */
export function askForVoice(send: (voice: File, seconds?: number) => void): void {
  let recording: Recording | undefined;
  const chosen = h('input', { type: 'file', accept: 'audio/*', hidden: true });
  chosen.addEventListener('change', () => {
    const [file] = chosen.files ?? [];
    if (file) send(file);
    dialog.close();
  });
  const record = h(
    'button',
    { type: 'button', class: 'primary', 'aria-pressed': 'false', on: { click: () => void toggle() } },
    'Record',
  );
  const choose = h(
    'button',
    { type: 'button', class: 'secondary', on: { click: () => chosen.click() } },
    'Choose an audio file',
  );
  const cancel = h(
    'button',
    { type: 'button', class: 'secondary', on: { click: () => dialog.close() } },
    'Cancel',
  );

  async function toggle(): Promise<void> {
    if (recording) {
      const { file, seconds } = await recording.stop();
      recording = undefined;
      send(file, seconds);
      dialog.close();
      return;
    }
    recording = await Recording.start().catch(() => undefined);
    if (!recording) {
      notice('The browser records nothing: it has no microphone, or may not use it.', 'bad');
      return;
    }
    record.setAttribute('aria-pressed', 'true');
    setText(record, 'Stop and send');
  }

  const dialog = openDialog(
    'Voice message',
    h('p', {}, 'Record one, or choose a file that is sent as one.'),
    h('div', { class: 'buttons' }, cancel, choose, record),
    chosen,
  );
  dialog.addEventListener('close', () => void recording?.stop());
}

class Recording {
  readonly #recorder: MediaRecorder;
  readonly #stream: MediaStream;
  readonly #startedAtMs = performance.now();
  readonly #chunks: Blob[] = [];

  private constructor(stream: MediaStream) {
    const mimeType = formats.find((format) => MediaRecorder.isTypeSupported(format));
    this.#stream = stream;
    this.#recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#chunks.push(data));
    this.#recorder.start();
  }

  /** Rejects where there is no microphone, or the person does not allow it. */
  static async start(): Promise<Recording> {
    return new Recording(await navigator.mediaDevices.getUserMedia({ audio: true }));
  }

  async stop(): Promise<{ readonly file: File; readonly seconds: number }> {
    const recorder = this.#recorder;
    if (recorder.state !== 'inactive') {
      const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
      recorder.stop();
      await stopped;
    }
    for (const track of this.#stream.getTracks()) track.stop();
    const type = recorder.mimeType.split(';')[0] ?? '';
    const seconds = Math.max(1, Math.round((performance.now() - this.#startedAtMs) / 1_000));
    return { file: new File(this.#chunks, `voice.${type.split('/')[1]}`, { type }), seconds };
  }
}
