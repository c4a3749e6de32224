/*
 * noop: exits with 0; stands in for npm, whose own start would hide what the tools that call it cost.
 *
 * Build:  cc -O2 -static noop.c -o npm
 */
#include <stdio.h>

int main(int count, char **arguments) {
	if (count > 1 && arguments[1][0] == '-')
		puts("11.0.0"); /* some tools ask for npm's version first */
	return 0;
}
