// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Steps} from "../support/Steps.sol";

/// @notice Invariant 3: who is paid what when a job ends, from the rule in prose and not from the contracts. A
/// provider whose result stands gets the price; the victim of a missed deadline the stake, of a wrong result
/// half of it; a validator that revealed its fee, unless an appeal overruled it; the rest goes back.
abstract contract Dues is Steps {
    address private constant COIN = address(0);

    /// How a job ended, as far as money is concerned.
    struct End {
        State state;
        bool slashed;
        bool late;
        bool challenged;
        bool appealed;
        bool overruled;
    }

    /// What the escrow must owe.
    mapping(address account => mapping(address token => uint256)) internal due;
    /// Seats given by an appeal's draw.
    mapping(bytes32 jobId => mapping(address validator => bool)) internal appellate;

    function checkDues() public view virtual;

    function _oweEnd(IJobEscrow.Terms memory terms, End memory end) internal {
        if (end.state == State.Cancelled) return _owe(terms.requester, terms.token, terms.price + _feesOf(terms));
        // What is left of either side's fees and bonds, once the panel is paid from them.
        uint256 theirs = end.challenged ? 3 * uint256(terms.validatorFee) : _feesOf(terms);
        uint256 providers = end.appealed ? 3 * uint256(terms.validatorFee) : 0;
        bytes32 id = escrow.jobIdOf(terms);
        for (uint256 i = 0; i < crowd.length; ++i) {
            SeatStatus seat = escrow.seatOf(id, crowd[i]);
            if (seat == SeatStatus.Committed) {
                _owe(terms.requester, COIN, terms.validatorStake / 2);
                _owe(terms.provider, COIN, terms.validatorStake - terms.validatorStake / 2);
            }
            if (seat != SeatStatus.Revealed && seat != SeatStatus.Passed && seat != SeatStatus.Failed) continue;
            bool loses = end.overruled && seat == SeatStatus.Failed && !appellate[id][crowd[i]];
            if (appellate[id][crowd[i]]) providers -= terms.validatorFee;
            else theirs -= terms.validatorFee;
            if (loses) _owe(terms.provider, COIN, terms.validatorStake);
            _owe(loses ? terms.provider : crowd[i], terms.token, terms.validatorFee);
        }
        bool paid = end.state == State.Settled;
        _owe(terms.provider, terms.token, providers + (paid ? terms.price : 0));
        _owe(terms.requester, terms.token, theirs + (paid ? 0 : terms.price));
        if (end.slashed) {
            uint256 burnt = end.late ? 0 : terms.providerStake / 2;
            _owe(terms.requester, COIN, terms.providerStake - burnt);
        }
    }

    function _owe(address account, address token, uint256 amount) private {
        due[account][token] += amount;
    }

    function _feesOf(IJobEscrow.Terms memory terms) private pure returns (uint256) {
        return uint256(terms.rule.validators()) * terms.validatorFee;
    }
}
