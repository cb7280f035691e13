/** Elements of SVG and HTML as text. */
import { printable } from '../../inbox/format.js';

type Attributes = Readonly<Record<string, string | number | undefined>>;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as it may stand in an element or an attribute. Errors are quoted from anywhere. */
export const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);

/** An element with the markup of its content. Numbers are rounded to a tenth of a pixel. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const given = Object.entries(attributes).flatMap(([attribute, value]) =>
    value === undefined
      ? []
      : [` ${attribute}="${typeof value === 'number' ? rounded(value) : escaped(value)}"`],
  );
  const open = `<${name}${given.join('')}`;
  return content.length === 0 ? `${open}/>` : `${open}>${content.join('')}</${name}>`;
}

/** A text in a picture. */
export const label = (x: number, y: number, text: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escaped(text));

/** What a pointer that rests on the element is shown. */
export const tooltip = (text: string): string => element('title', {}, escaped(text));

export const rounded = (number: number): number => Math.round(number * 10) / 10;

/** About how wide a text of the pictures is, in pixels. */
export const widthOf = (text: string): number => text.length * 6.3;
