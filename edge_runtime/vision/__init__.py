"""From a frame to lines of digits: ink planes, regions, candidates, selection, rejection. `reader` calls the stages."""
