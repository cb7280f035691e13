/** What a person sends beside text: pictures, files, voice messages, stickers, places and contacts. */
import type { Context } from './context.js';
import { askFor } from './dialogs.js';
import { h, icon } from './dom.js';
import { mediaDetails } from './media-details.js';
import { Menu } from './menu.js';
import { askForVoice } from './voice-dialog.js';

const STICKERS = ['😀', '😍', '😎', '😢', '👍', '🎉', '🔥', '❤️'];

/** Where something is sent to, and with what. */
export interface Envelope {
  readonly chat: number | undefined;
  readonly from: number | undefined;
  readonly replyTo?: number;
  readonly caption?: string;
}

export interface AttachmentsOptions {
  readonly context: Context;
  /** Takes the text that a person has written, and what it is about, for a file that is sent. */
  takeEnvelope(): Envelope;
  beginInline(): void;
}

export class Attachments {
  /** The button that opens the menu, and the field for files. */
  readonly elements: readonly HTMLElement[];
  readonly #options: AttachmentsOptions;
  readonly #menu = new Menu('Attach');
  readonly #file = h('input', {
    type: 'file',
    multiple: true,
    class: 'quiet',
    tabindex: -1,
    'aria-hidden': 'true',
  });
  readonly #button: HTMLButtonElement;
  /** As what the files that are being chosen are sent. */
  #as: 'media' | 'document' = 'media';

  constructor(options: AttachmentsOptions) {
    this.#options = options;
    this.#button = h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': 'Attach',
        title: 'Send a photo, a file, a voice message, a place…',
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        on: { click: () => this.#open() },
      },
      icon('attach'),
    );
    this.#file.addEventListener('change', () => {
      this.sendFiles(this.#file.files, this.#as);
      this.#file.value = '';
    });
    this.elements = [this.#button, this.#file];
  }

  /** Sends files that were chosen, dropped or pasted. */
  sendFiles(files: FileList | undefined | null, as: 'media' | 'document' = 'media'): void {
    for (const file of files ?? []) void this.#sendFile(file, as);
  }

  #open(): void {
    const item = (label: string, act: () => void) => this.#menu.item(act, label);
    this.#menu.open(
      [
        item('Photo or video', () => this.#choose('media', 'image/*,video/*,audio/*')),
        item('File', () => this.#choose('document', '')),
        item('Voice message', () => this.#askForVoice()),
        item('Sticker', () => this.#askForSticker()),
        item('Location', () => this.#askForLocation()),
        item('Contact', () => this.#askForContact()),
        item('Inline query', () => this.#options.beginInline()),
      ],
      this.#button,
    );
  }

  #choose(as: 'media' | 'document', accept: string): void {
    this.#as = as;
    this.#file.accept = accept;
    this.#file.click();
  }

  #askForVoice(): void {
    askForVoice((voice, seconds) => void this.#sendFile(voice, 'voice', seconds));
  }

  #askForSticker(): void {
    const stickers = STICKERS.map((emoji) => this.#menu.item(() => this.#send('sticker', { emoji }), emoji));
    this.#menu.open(
      [h('div', { class: 'emoji', role: 'group', 'aria-label': 'Stickers' }, ...stickers)],
      this.#button,
    );
  }

  #askForLocation(): void {
    const fields = [
      { name: 'latitude', label: 'Latitude', value: '52.37', type: 'number' },
      { name: 'longitude', label: 'Longitude', value: '4.89', type: 'number' },
    ] as const;
    askFor('Location', fields, ({ latitude, longitude }) =>
      this.#send('location', { latitude: Number(latitude), longitude: Number(longitude) }),
    );
  }

  #askForContact(): void {
    const fields = [
      { name: 'name', label: 'Name', value: 'Grace' },
      { name: 'phone', label: 'Phone number', value: '+1 555 0101', type: 'tel' },
    ] as const;
    askFor('Contact', fields, (contact) => this.#send('contact', contact));
  }

  #send(action: 'sticker' | 'location' | 'contact', content: object): void {
    const { caption: _caption, ...to } = this.#options.takeEnvelope();
    void this.#options.context.server.act(action, { ...to, ...content });
  }

  async #sendFile(file: File, as: 'media' | 'document' | 'voice', seconds?: number): Promise<void> {
    const envelope = this.#options.takeEnvelope();
    const details = await mediaDetails(file);
    const fields = { ...envelope, as, ...details, ...(seconds !== undefined && { duration: seconds }) };
    const given = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, `${value}`]],
    );
    await this.#options.context.server.sendFile(file, Object.fromEntries(given));
  }
}
